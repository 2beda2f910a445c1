"""Docker and BuildKit, with daemons of their own on a machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.e2e.client_machine import ClientMachine
from tests.e2e.client_programs import context_of, version_in
from tests.e2e.deployed_mirror import Outcome

# No container runs, so it needs no network for containers.
OPTIONS = ("--iptables=false", "--bridge=none", "--userland-proxy=false")


@dataclass(frozen=True)
class Docker:
    """A daemon and the command line of Docker."""

    program: str = "dockerd"
    command: str = "docker"
    runtime: str = "dockerd"

    @property
    def _is_from_lab(self) -> bool:
        return self.program != "dockerd"

    def version(self, machine: ClientMachine) -> str:
        if self._is_from_lab:
            return str(machine.lab["versions"][self.program])
        return version_in(machine.run(self.program, "--version"))

    @contextmanager
    def running(self, machine: ClientMachine) -> Iterator[None]:
        places = [f"--{name}={machine.directory / name}" for name in ("data-root", "exec-root")]
        driver = [] if self._is_from_lab else ["--storage-driver=vfs"]
        socket = f"unix://{machine.directory}/docker.sock"
        words = [self.program, "--host", socket, f"--pidfile={machine.directory / 'docker.pid'}", *OPTIONS]
        with machine.daemon([*words, *driver, *places], [self.command, "version"], **self._environment(machine)):
            yield

    def pull(self, machine: ClientMachine, image: str, architecture: str = "") -> Outcome:
        platform = ["--platform", f"linux/{architecture}"] if architecture else []
        return machine.run(self.command, "pull", *platform, image, **self._environment(machine))

    def build(self, machine: ClientMachine, *options: str, **environment: str) -> Outcome:
        words = ["build", "--no-cache", *options, str(context_of(machine))]
        return machine.run(self.command, *words, **self._environment(machine), **environment)

    def forget_images(self, machine: ClientMachine) -> None:
        for words in (["system", "prune", "--all", "--force"], ["builder", "prune", "--all", "--force"]):
            machine.run(self.command, *words, **self._environment(machine))

    def _environment(self, machine: ClientMachine) -> dict[str, str]:
        return {"PATH": machine.path_of_lab} if self._is_from_lab else {}


@dataclass(frozen=True)
class BuildKit:
    """buildkitd and buildctl. It pulls only for builds."""

    program: str = "buildkitd"
    runtime: str = "buildkit"

    def version(self, machine: ClientMachine) -> str:
        return str(machine.lab["versions"]["buildkit"])

    @contextmanager
    def running(self, machine: ClientMachine) -> Iterator[None]:
        """With the configuration file at its default path."""
        worker = ["--oci-worker-snapshotter=native", "--oci-worker-net=host", "--containerd-worker=false"]
        words = ["buildkitd", "--addr", self._address(machine), f"--root={machine.directory}/buildkit", *worker]
        with machine.daemon(words, self._buildctl(machine, "debug", "workers"), PATH=machine.path_of_lab):
            yield

    def pull(self, machine: ClientMachine, image: str, architecture: str = "") -> Outcome:
        context_of(machine, image)
        return self._build(machine, *(["--opt", f"platform=linux/{architecture}"] if architecture else []))

    def build(self, machine: ClientMachine, *options: str, **environment: str) -> Outcome:
        context_of(machine)
        return self._build(machine, *options, **environment)

    def _build(self, machine: ClientMachine, *options: str, **environment: str) -> Outcome:
        context = machine.directory / "context"
        sources = ["--local", f"context={context}", "--local", f"dockerfile={context}"]
        words = self._buildctl(machine, "build", "--frontend=dockerfile.v0", "--no-cache", *sources, *options)
        return machine.run(*words, PATH=machine.path_of_lab, **environment)

    def forget_images(self, machine: ClientMachine) -> None:
        machine.run(*self._buildctl(machine, "prune", "--all"), PATH=machine.path_of_lab)

    def _buildctl(self, machine: ClientMachine, *words: str) -> list[str]:
        return ["buildctl", "--addr", self._address(machine), *words]

    def _address(self, machine: ClientMachine) -> str:
        return f"unix://{machine.directory}/buildkitd.sock"
