"""The setup of one runtime: files, what to do with them, and what they cannot bring about."""

from collections.abc import Callable
from dataclasses import dataclass

from regmirror.client_config.registries import MirroredRegistry


@dataclass(frozen=True, slots=True)
class ClientFile:
    """One file. A relative path is one of the operator's machine, an absolute one belongs to the client."""

    path: str
    content: str
    mode: int = 0o644
    may_exist: bool = False
    """Whether the client may have such a file already, into which this one is to be merged."""


@dataclass(frozen=True, slots=True)
class ClientSetup:
    """Everything that one runtime needs."""

    files: list[ClientFile]
    steps: list[str]
    """What to do once the files are in place."""
    limitations: str
    """What nobody can have with this runtime, whatever its files say."""


SetupBuilder = Callable[[list[MirroredRegistry], str], ClientSetup]
"""Makes the setup for some registries; the second argument is the private ca_pem as PEM, or empty."""
