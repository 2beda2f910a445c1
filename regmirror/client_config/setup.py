"""The setup of one runtime: its files, the steps that put them into effect, and its limitations."""

from collections.abc import Callable
from dataclasses import dataclass

from regmirror.client_config.registries import MirroredRegistry


@dataclass(frozen=True, slots=True)
class ClientFile:
    """One file. A relative path is on the user's machine, an absolute path is on the client."""

    path: str
    content: str
    mode: int = 0o644
    may_exist: bool = False
    """Whether the client may already have this file, so that the content must be merged into it."""

    @property
    def is_certificate(self) -> bool:
        """Whether the file holds CA certificates and nothing else."""
        return self.content.startswith("-----BEGIN CERTIFICATE-----")


@dataclass(frozen=True, slots=True)
class ClientSetup:
    """Everything that one runtime needs."""

    files: list[ClientFile]
    steps: list[str]
    """What to do once the files are in place: commands, and sentences without a period."""
    limitations: list[str]
    """What does not work with this runtime, or works differently than expected; whole sentences."""


SetupBuilder = Callable[[list[MirroredRegistry], str], ClientSetup]
"""Builds the setup for some registries; the second argument is the private CA as PEM, or empty."""
