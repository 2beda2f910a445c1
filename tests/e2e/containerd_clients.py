"""containerd with a daemon of its own on a machine, called through crictl, as the kubelet does, or by ctr."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from regmirror.client_config.containerd import HOSTS_DIRECTORY, NEW_TABLE, OLD_TABLE
from tests.e2e.client_machine import ClientMachine
from tests.e2e.client_programs import version_in
from tests.e2e.deployed_mirror import Outcome


@dataclass(frozen=True)
class Containerd:
    """containerd of the lab, or that of Debian."""

    caller: str
    """"crictl" or "ctr"."""
    is_debian: bool = False
    program: str = "crictl"
    runtime: str = "containerd"

    def version(self, machine: ClientMachine) -> str:
        return version_in(machine.run("containerd", "--version", **self._environment(machine)))

    @contextmanager
    def running(self, machine: ClientMachine) -> Iterator[None]:
        """With the table of config.toml that the steps of client-config name for this version."""
        version, table = (2, OLD_TABLE) if self.is_debian else (3, NEW_TABLE)
        config = f'version = {version}\n{table}\n  config_path = "{HOSTS_DIRECTORY}"\n'
        (machine.directory / "etc/containerd").mkdir(exist_ok=True)
        (machine.directory / "etc/containerd/config.toml").write_text(config)
        places = [f"--{name}={machine.directory}/containerd-{name}" for name in ("root", "state")]
        words = ["containerd", "--address", f"{machine.directory}/containerd.sock", *places]
        with machine.daemon(words, self._crictl(machine, "info"), **self._environment(machine)):
            yield

    def pull(self, machine: ClientMachine, image: str, architecture: str = "") -> Outcome:
        """With the account of Docker Hub that the machine has, as the kubelet does with a pull secret."""
        if self.caller == "ctr":
            platform = ["--platform", f"linux/{architecture}"] if architecture else []
            return self._run(machine, self._ctr(machine, "pull", "--hosts-dir", HOSTS_DIRECTORY, *platform, image))
        account = machine.account("docker.io")
        return self._run(machine, self._crictl(machine, "pull", *(["--auth", account] if account else []), image))

    def forget_images(self, machine: ClientMachine) -> None:
        images = self._run(machine, self._ctr(machine, "ls", "--quiet")).stdout.split()
        if images:
            self._run(machine, self._ctr(machine, "rm", "--sync", *images))

    def _run(self, machine: ClientMachine, words: list[str]) -> Outcome:
        return machine.run(*words, **self._environment(machine))

    def _crictl(self, machine: ClientMachine, *words: str) -> list[str]:
        return [
            f"{machine.lab_programs}/crictl",
            "--runtime-endpoint",
            f"unix://{machine.directory}/containerd.sock",
            *words,
        ]

    def _ctr(self, machine: ClientMachine, *words: str) -> list[str]:
        # The namespace of the kubelet, so that both callers see the same images.
        return ["ctr", "--address", f"{machine.directory}/containerd.sock", "--namespace", "k8s.io", "images", *words]

    def _environment(self, machine: ClientMachine) -> dict[str, str]:
        return {} if self.is_debian else {"PATH": machine.path_of_lab}
