"""A mirror in its own namespace, operated with the real command line."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lab.target_cluster import TargetCluster
from tests.e2e.waiting import await_value

PROGRAMS = Path(sys.executable).parent
SECONDS = 1800
"""The limit of a command: it only ends a test that hangs."""
Object = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """The exit code, standard output and standard error of a command."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.stdout)


@dataclass(frozen=True)
class DeployedMirror:
    """One mirror: its cluster, namespace, the directory of its configuration file, and the environment of commands."""

    target: TargetCluster
    namespace: str
    directory: Path
    environment: dict[str, str] = field(repr=False)

    @property
    def host(self) -> str:
        """The public host."""
        return f"{self.namespace}.{self.target.domain}"

    @property
    def endpoint(self) -> str:
        """The public host, with the port of the configuration file unless it is 443."""
        port = yaml.safe_load(self.file.read_text()).get("port", 443)
        return self.host if port == 443 else f"{self.host}:{port}"

    @property
    def file(self) -> Path:
        """The configuration file."""
        return self.directory / "regmirror.yaml"

    def regmirror(self, *words: str, **environment: str) -> Outcome:
        """Run a command; ``environment`` takes precedence over that of the mirror."""
        return run([str(PROGRAMS / "regmirror"), *words], self.directory, self.environment | environment)

    def init(self, *options: str) -> Outcome:
        """Write the configuration file for the target cluster."""
        chosen = [f"--host={self.host}", f"--probe-image={self.target.allowed_image}", *self.target.init_options]
        outcome = self.regmirror("init", "--yes", "--force", "--create-bucket", *chosen, *options)
        if outcome.code == 0 and not self.target.is_lab:
            # All mirrors on such a cluster have the same bucket.
            self.change_file(storage={"prefix": self.namespace})
        return outcome

    def change_file(self, **sections: Any) -> None:
        """Merge values into sections of the configuration file."""
        content = yaml.safe_load(self.file.read_text())
        for name, section in sections.items():
            content[name] = {**content.get(name, {}), **section} if isinstance(section, dict) else section
        self.file.write_text(yaml.safe_dump(content))

    def change_upstream(self, **values: Any) -> None:
        """Set keys of the first upstream in the configuration file."""
        content = yaml.safe_load(self.file.read_text())
        content["upstreams"][0].update(values)
        self.file.write_text(yaml.safe_dump(content))

    def deploy(self, *options: str, **environment: str) -> Outcome:
        """Deploy; resolve the host without DNS."""
        return self.regmirror("deploy", *self.target.resolve(self.host), *options, **environment)

    def verify(self, *options: str) -> Outcome:
        """Verify, with the report as JSON."""
        return self.regmirror("verify", "-o", "json", *self.target.resolve(self.host), *options)

    def rotate(self, *options: str) -> Outcome:
        """Rotate the signing key, with the report as JSON."""
        return self.regmirror("rotate-cert", "-o", "json", *self.target.resolve(self.host), *options)

    def interrupt(
        self,
        number: signal.Signals,
        text: str,
        command: str,
        *options: str,
        meanwhile: tuple[str, Callable[[], None]] | None = None,
    ) -> Outcome:
        """Run a command and send it a signal when it prints ``text``.

        ``meanwhile`` is another text and a function to call when the command prints that.
        """
        words = [str(PROGRAMS / "regmirror"), command, *self.target.resolve(self.host), *options]
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
            output = ""
            for line in process.stderr:
                output += line
                if meanwhile and meanwhile[0] in line:
                    meanwhile[1]()
                    meanwhile = None
                if text in line:
                    process.send_signal(number)
                    break
            output += process.stderr.read()
            code = process.wait(timeout=SECONDS)
        assert text in output, output
        assert meanwhile is None, output
        return Outcome(code, "", output)

    def failures(self) -> dict[str, str]:
        """The messages of the failed checks of one verify, by check ID."""
        report = self.verify().document
        return {check["id"]: check["message"] for check in report["checks"] if check["result"] == "error"}

    def await_healthy(self) -> None:
        """Return when no check of verify fails; the test fails if that does not happen."""
        await_value(self.failures, lambda failures: failures == {})

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        """Standard output of a kubectl command in the mirror's namespace; the test fails if the command fails."""
        command = ["kubectl", "--context", self.target.context, "-n", self.namespace, *words]
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=SECONDS, check=False, env=os.environ
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout

    def objects(self, kind: str, *words: str) -> list[Object]:
        """The objects of a kind in the namespace."""
        items: list[Object] = json.loads(self.kubectl("get", kind, "-o", "json", *words))["items"]
        return items

    def pods(self, *words: str) -> dict[str, int]:
        """The UIDs of the running pods with their restarts; ``words`` are options of ``kubectl get``."""
        return {
            pod["metadata"]["uid"]: sum(c["restartCount"] for c in pod["status"].get("containerStatuses", []))
            for pod in self.objects("pods", *words)
            if not pod["metadata"].get("deletionTimestamp")
        }

    @contextmanager
    def forwarded(self, workload: str, port: int) -> Iterator[int]:
        """A local port that is forwarded to a port of a pod of the workload."""
        command = ["kubectl", "--context", self.target.context, "-n", self.namespace, "port-forward"]
        words = [*command, f"deployment/{workload}", f":{port}"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                yield int(process.stdout.readline().split("->")[0].rsplit(":", 1)[1])
            finally:
                process.terminate()

    def create_tls_secret(self) -> None:
        """Create the namespace with the public certificate, as the owner of the host would."""
        self._create_namespace()
        if self.target.certificate and self.target.key:
            certificate = [f"--cert={self.target.certificate}", f"--key={self.target.key}"]
            self.kubectl("create", "secret", "tls", "regmirror-tls", *certificate)

    def remove(self) -> None:
        """Delete the namespace, and its pods without a grace period: a small node has no room for stopping pods."""
        self.kubectl("delete", "namespace", self.namespace, "--ignore-not-found", "--wait=false")
        self.kubectl("delete", "pods", "--all", "--force", "--grace-period=0")

    def _create_namespace(self) -> None:
        self.kubectl("create", "namespace", self.namespace)
        self.kubectl("label", "namespace", self.namespace, "pod-security.kubernetes.io/enforce=restricted")


def run(words: list[str], directory: Path, environment: dict[str, str], stdin: str = "") -> Outcome:
    """Run a program without a terminal."""
    done = subprocess.run(
        words,
        cwd=directory,
        env=os.environ | environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def environment_of(target: TargetCluster, namespace: str) -> dict[str, str]:
    """The environment with which an operator runs regmirror on the target cluster."""
    environment = {
        **target.environment,
        "REGMIRROR_CONTEXT": target.context,
        "REGMIRROR_NAMESPACE": namespace,
        "REGMIRROR_TIMEOUT": "10m",
        "COLUMNS": "80",
    }
    environment.setdefault("S3_BUCKET", namespace)
    if target.authority:
        environment["REGMIRROR_CA_FILE"] = str(target.authority)
    return environment
