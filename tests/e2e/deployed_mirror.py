"""A mirror in a namespace of its own, driven by the real command line as an operator drives it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lab.setting import Setting

PROGRAMS = Path(sys.executable).parent
Object = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    output: str
    words: str

    @property
    def document(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.output)


@dataclass(frozen=True)
class Deployment:
    """One mirror: its namespace, its host, the directory of its configuration, and what it runs with."""

    setting: Setting
    namespace: str
    directory: Path
    environment: dict[str, str] = field(repr=False)

    @property
    def host(self) -> str:
        """The public host."""
        return f"{self.namespace}.{self.setting.domain}"

    @property
    def file(self) -> Path:
        """The configuration file."""
        return self.directory / "regmirror.yaml"

    def regmirror(self, *words: str, **environment: str) -> Outcome:
        """Run a command; variables given here win."""
        return run([str(PROGRAMS / "regmirror"), *words], self.directory, self.environment | environment)

    def init(self, *options: str) -> Outcome:
        """Write the configuration for this setting."""
        chosen = [f"--host={self.host}", f"--probe-image={self.setting.allowed_image}", *self.setting.init_options]
        return self.regmirror("init", "--yes", "--force", "--create-bucket", *chosen, *options)

    def change_file(self, **sections: Any) -> None:
        """Merge other values into the sections of the file."""
        content = yaml.safe_load(self.file.read_text())
        for name, section in sections.items():
            content[name] = {**content.get(name, {}), **section} if isinstance(section, dict) else section
        self.file.write_text(yaml.safe_dump(content))

    def deploy(self, *options: str, **environment: str) -> Outcome:
        """Deploy, reaching the host without DNS."""
        return self.regmirror("deploy", *self.setting.resolve(self.host), *options, **environment)

    def verify(self, *options: str) -> Outcome:
        """Verify, with the report as a document."""
        return self.regmirror("verify", "-o", "json", *self.setting.resolve(self.host), *options)

    def rotate(self, *options: str) -> Outcome:
        """Rotate the signing key, with the report as a document."""
        return self.regmirror("rotate-cert", "-o", "json", *self.setting.resolve(self.host), *options)

    def cut_short(self, number: signal.Signals, said: str, command: str, *options: str) -> Outcome:
        """Run a command, send it a signal as soon as it has said something, and see how it ends."""
        words = [str(PROGRAMS / "regmirror"), command, *self.setting.resolve(self.host), *options]
        with subprocess.Popen(
            words,
            cwd=self.directory,
            env=os.environ | self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            heard = ""
            for line in process.stderr:
                heard += line
                if said in line:
                    process.send_signal(number)
                    break
            heard += process.stderr.read()
            code = process.wait(timeout=60)
        assert said in heard, heard
        return Outcome(code, "", heard)

    def failures(self) -> dict[str, str]:
        """The failed checks of a verify, by id, with what each says."""
        report = self.verify().document
        return {check["id"]: check["message"] for check in report["checks"] if check["result"] == "error"}

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        """Standard output of a kubectl command in the mirror's namespace; the test fails where it does."""
        command = ["kubectl", "--context", self.setting.context, "-n", self.namespace, *words]
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=400, check=False, env=os.environ
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout

    def objects(self, kind: str, *words: str) -> list[Object]:
        """The objects of a kind in the namespace."""
        items: list[Object] = json.loads(self.kubectl("get", kind, "-o", "json", *words))["items"]
        return items

    def pods(self, *words: str) -> dict[str, int]:
        """The running pods' uids, with the restarts of each; of all, or of those that kubectl finds by ``words``."""
        return {
            pod["metadata"]["uid"]: sum(c["restartCount"] for c in pod["status"].get("containerStatuses", []))
            for pod in self.objects("pods", *words)
            if not pod["metadata"].get("deletionTimestamp")
        }

    @contextmanager
    def forwarded(self, workload: str, port: int) -> Iterator[int]:
        """A local port that leads to a port of a workload's pod."""
        command = ["kubectl", "--context", self.setting.context, "-n", self.namespace, "port-forward"]
        words = [*command, f"deployment/{workload}", f":{port}"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                yield int(process.stdout.readline().split("->")[0].rsplit(":", 1)[1])
            finally:
                process.terminate()

    def bring_certificate(self) -> None:
        """Create the namespace with the public certificate in it, as the owner of the host would."""
        self._create_namespace()
        if self.setting.certificate and self.setting.key:
            certificate = [f"--cert={self.setting.certificate}", f"--key={self.setting.key}"]
            self.kubectl("create", "secret", "tls", "regmirror-tls", *certificate)

    def remove(self) -> None:
        """Delete the namespace, and its pods undrained: a small node has no room for those that only end slowly."""
        self.kubectl("delete", "namespace", self.namespace, "--ignore-not-found", "--wait=false")
        self.kubectl("delete", "pods", "--all", "--force", "--grace-period=0")

    def _create_namespace(self) -> None:
        self.kubectl("create", "namespace", self.namespace)
        self.kubectl("label", "namespace", self.namespace, "pod-security.kubernetes.io/enforce=restricted")


def run(words: list[str], directory: Path, environment: dict[str, str]) -> Outcome:
    """Run a program to its end, with no terminal."""
    done = subprocess.run(
        words,
        cwd=directory,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def environment_of(setting: Setting, namespace: str) -> dict[str, str]:
    """The variables with which an operator runs regmirror in this setting."""
    environment = {
        **setting.environment,
        "REGMIRROR_CONTEXT": setting.context,
        "REGMIRROR_NAMESPACE": namespace,
        "REGMIRROR_TIMEOUT": "90s",
        "COLUMNS": "80",
    }
    environment.setdefault("S3_BUCKET", namespace)
    if setting.authority:
        environment["REGMIRROR_CA_FILE"] = str(setting.authority)
    return environment
