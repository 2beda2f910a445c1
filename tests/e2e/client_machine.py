"""A machine with directories of its own, on which clients pull images."""

import base64
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.deployed_mirror import DeployedMirror, Outcome, run
from tests.e2e.docker_io import DockerIo
from tests.e2e.mirror_tap import MirrorTap
from tests.e2e.waiting import wait_until

CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
# Its files, the CAs that were added to it, and where daemons write besides their own directories.
OWN = {"etc": "/etc", "ca": "/usr/local/share/ca-certificates", "run": "/run", "opt": "/opt"}
ENTER = " && ".join([*(f'mount -n --bind "$1/{own}" {path}' for own, path in OWN.items()), "shift", 'exec "$@"'])


@dataclass(frozen=True)
class ClientMachine:
    """Trusts docker.io, but trusts the mirror only where its files say so; reaches the mirror through ``tap``."""

    tap: MirrorTap
    docker_io: DockerIo
    directory: Path
    """Its path is short, because it contains sockets."""
    steps: list[str] = field(default_factory=list)
    """What client-config printed besides the files."""

    @classmethod
    def create(cls, tap: MirrorTap, docker_io: DockerIo, directory: Path) -> "ClientMachine":
        """A machine with the /etc of this one, and without files of client-config."""
        shutil.copytree("/etc", directory / "etc", symlinks=True)
        for name in OWN.keys() - {"etc"}:
            (directory / name).mkdir()
        with (directory / "etc/hosts").open("a") as hosts:
            hosts.write(f"{tap.address} {tap.mirror.host}\n")
        machine = cls(tap, docker_io, directory)
        machine.log_out()
        with (directory / CERTIFICATES).open("a") as certificates:
            certificates.write(docker_io.authority.read_text())
        shutil.copy(docker_io.authority, directory / "ca" / "docker-io.crt")
        return machine

    @classmethod
    @contextmanager
    def temporary(cls, tap: MirrorTap, docker_io: DockerIo) -> Iterator["ClientMachine"]:
        """A machine for the duration of the block."""
        directory = Path(tempfile.mkdtemp(prefix="machine-"))
        yield cls.create(tap, docker_io, directory)
        shutil.rmtree(directory)

    def require(self, program: str) -> None:
        """Skip the test if the lab was started without this client."""
        if shutil.which(program, path=self.path_of_lab) is None:
            pytest.skip(f"{program} is missing: set LAB_CLIENTS=1 when the lab starts")

    @property
    def mirror(self) -> DeployedMirror:
        """The mirror behind ``tap``."""
        return self.tap.mirror

    @property
    def lab(self) -> dict[str, Any]:
        """The content of lab.json."""
        assert self.mirror.target.lab is not None
        return self.mirror.target.lab

    def configure(self, runtime: str) -> None:
        """Write the files of client-config; --registry, because the stand-in does not have Docker Hub's name."""
        words = ["client-config", runtime, "--registry", "docker-hub=docker.io", "--output-dir", str(self.directory)]
        outcome = self.mirror.regmirror(*words, "--force", "-o", "json")
        assert outcome.code == 0, outcome.stderr
        self.steps.extend(outcome.document["steps"])

    def in_step(self, pattern: str) -> str:
        """What a pattern finds in the steps."""
        found = [match.group(1) for step in self.steps if (match := re.search(pattern, step))]
        assert len(found) == 1, self.steps
        return found[0]

    def trust(self, authority: Path) -> None:
        """Add a CA to those of the whole machine: as the step of client-config says, if there is one."""
        if any("update-ca-certificates" in step for step in self.steps):
            source = self.in_step(
                r"copy (\S+) to /usr/local/share/ca-certificates/regmirror.crt and run update-ca-certif"
            )
        else:
            source = str(authority)
        copied = f"cp {source} /usr/local/share/ca-certificates/regmirror.crt && update-ca-certificates"
        updated = self.run("sh", "-c", copied)
        assert updated.code == 0, updated.stderr
        assert authority.read_text() in (self.directory / CERTIFICATES).read_text()

    def log_in(self, registry: str, user: str, password: str) -> None:
        """Store an account where docker and podman look for it; "docker.io" is Docker Hub."""
        key = {"docker.io": ["docker.io", "https://index.docker.io/v1/"]}.get(registry, [registry])
        account = {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}
        self._write_accounts(dict.fromkeys(key, account))

    def log_out(self) -> None:
        """Remove all accounts."""
        self._write_accounts({})

    def _write_accounts(self, accounts: dict[str, dict[str, str]]) -> None:
        file = self.directory / ".docker" / "config.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps({"auths": accounts}))

    def account(self, registry: str) -> str:
        """The stored account of a registry as base64; empty if there is none."""
        accounts = json.loads((self.directory / ".docker" / "config.json").read_text())["auths"]
        return str(accounts.get(registry, {}).get("auth", ""))

    def forget(self) -> None:
        """Forget what the mirror and docker.io have seen."""
        self.tap.forget()
        self.docker_io.forget()

    def run(self, *words: str, **environment: str) -> Outcome:
        """Run a program."""
        return run(self._command(*words), self.directory, self._environment | environment)

    @contextmanager
    def daemon(self, words: Sequence[str], ready: Sequence[str], **environment: str) -> Iterator[None]:
        """A daemon for the duration of the block; it is there when the command ``ready`` succeeds."""
        log = self.directory / f"{Path(words[0]).name}.log"
        with log.open("w") as output:
            environ = os.environ | self._environment | environment
            process = subprocess.Popen(self._command(*words), env=environ, stdout=output, stderr=output)
        try:
            wait_until(lambda: process.poll() is not None or self.run(*ready, **environment).code == 0)
            assert process.poll() is None, log.read_text()
            yield
        finally:
            process.terminate()
            process.wait()

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "PATH": self.path,
            "HOME": str(self.directory),
            "DOCKER_HOST": f"unix://{self.directory}/docker.sock",
            "REGISTRY_AUTH_FILE": str(self.directory / ".docker" / "config.json"),
            **self._libraries(),
        }

    @property
    def path(self) -> str:
        """The PATH of Debian's clients and the programs of this machine, without those of the lab."""
        path = [each for each in os.environ["PATH"].split(":") if each != self.lab_programs]
        return ":".join([*self._debian("usr/sbin", "usr/bin"), *path])

    @property
    def path_of_lab(self) -> str:
        """The PATH of clients that the lab builds: its containerd is not the one of Debian."""
        return f"{self.lab_programs}:{self.path}"

    @property
    def lab_programs(self) -> str:
        """The directory with the programs of the lab."""
        return str(Path(shutil.which("crane") or "").parent)

    def _libraries(self) -> dict[str, str]:
        found = self._debian("usr/lib/x86_64-linux-gnu")
        return {"LD_LIBRARY_PATH": found[0]} if found else {}

    def _debian(self, *directories: str) -> list[str]:
        """Directories of the unpacked Debian packages; none if they are installed on this machine."""
        root = self.lab["debian_clients"]
        return [f"{root}/{directory}" for directory in directories] if root else []

    def _command(self, *words: str) -> list[str]:
        return ["unshare", "--mount", "sh", "-c", ENTER, "sh", str(self.directory), *words]
