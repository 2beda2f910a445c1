"""Programs that pull images, each with the files and steps of client-config: how they are started and called."""

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from tests.e2e.client_machine import ClientMachine
from tests.e2e.deployed_mirror import Outcome

BASE = "docker.io/library/demo:1"
"""What a build begins with."""


class Client(Protocol):
    """A program that pulls images; it has a store of its own on a machine."""

    @property
    def runtime(self) -> str:
        """The runtime of client-config; empty for a program that needs no files, because it knows no mirrors."""

    @property
    def program(self) -> str:
        """The program that must exist; on the PATH of the lab, or of a machine."""

    def version(self, machine: ClientMachine) -> str:
        """The version."""

    def pull(self, machine: ClientMachine, image: str, architecture: str = "") -> Outcome:
        """Pull an image."""

    def forget_images(self, machine: ClientMachine) -> None:
        """Remove every image and layer, so that the next pull begins with none."""


@runtime_checkable
class Daemon(Protocol):
    """A client that is a daemon."""

    def running(self, machine: ClientMachine) -> AbstractContextManager[None]:
        """The daemon, for the duration of the block."""


@runtime_checkable
class Builder(Protocol):
    """A client that builds images."""

    def build(self, machine: ClientMachine, *options: str, **environment: str) -> Outcome:
        """Build an image from ``BASE``, without running anything."""


def version_in(outcome: Outcome) -> str:
    """The first version number that a program prints."""
    found = re.search(r"\d+\.\d+[\w.+~-]*", outcome.stdout)
    assert found, outcome
    return found.group()


def context_of(machine: ClientMachine, base: str = BASE) -> Path:
    """The directory with the Dockerfile of a build that runs nothing; COPY needs the layers of ``base``."""
    context = machine.directory / "context"
    context.mkdir(exist_ok=True)
    (context / "file").write_text("content")
    (context / "Dockerfile").write_text(f"FROM {base}\nCOPY file /file\n")
    return context


@dataclass(frozen=True)
class Containers:
    """podman or buildah."""

    program: str
    runtime: str = "podman"

    def version(self, machine: ClientMachine) -> str:
        return version_in(machine.run(self.program, "--version"))

    def pull(self, machine: ClientMachine, image: str, architecture: str = "") -> Outcome:
        platform = [f"--arch={architecture}"] if architecture else []
        return machine.run(*self._command(machine), "pull", *platform, image)

    def build(self, machine: ClientMachine, *options: str, **environment: str) -> Outcome:
        return machine.run(*self._command(machine), "build", *options, str(context_of(machine)), **environment)

    def forget_images(self, machine: ClientMachine) -> None:
        machine.run(*self._command(machine), "rmi", "--all", "--force")

    def _command(self, machine: ClientMachine) -> list[str]:
        directory = machine.directory
        return [self.program, f"--root={directory}/root", f"--runroot={directory}/runroot", "--storage-driver=vfs"]


@dataclass(frozen=True)
class Skopeo:
    """skopeo, which copies images to a directory instead of a store."""

    program: str = "skopeo"
    runtime: str = "podman"

    def version(self, machine: ClientMachine) -> str:
        return version_in(machine.run(self.program, "--version"))

    def pull(self, machine: ClientMachine, image: str, architecture: str = "") -> Outcome:
        platform = [f"--override-arch={architecture}"] if architecture else []
        return machine.run("skopeo", *platform, "copy", f"docker://{image}", f"dir:{machine.directory}/image")

    def forget_images(self, machine: ClientMachine) -> None:
        """It looks for no layers in the directory."""
