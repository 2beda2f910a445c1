"""The setup of one runtime: its files, the steps that put them into effect, and its limitations."""

from collections.abc import Callable
from dataclasses import dataclass

from regmirror.client_config.registries import MirroredRegistry

PASSWORD = "PASSWORD"  # noqa: S105 - a placeholder, which the user replaces in the file
"""In files with a login: what the user replaces by the password, which regmirror does not know."""


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


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """What the files are made for."""

    registries: list[MirroredRegistry]
    ca_pem: str = ""
    """The private CA of the mirror as PEM; empty if its certificate comes from a public CA."""
    user: str = ""
    """The account with which the runtime logs in to the mirror; empty for anonymous pulls."""

    @property
    def hosts(self) -> list[str]:
        """The hosts of the mirror, each once."""
        return list(dict.fromkeys(registry.host for registry in self.registries))


SetupBuilder = Callable[[ClientOptions], ClientSetup]
"""Builds the setup of a runtime."""
