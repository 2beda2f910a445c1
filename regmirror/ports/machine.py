"""The machine on which a container runtime runs, to read only."""

from typing import Protocol

Version = tuple[int, ...]
"""Such as (2, 1, 5)."""


class UnreadableFileError(Exception):
    """A file exists and cannot be read; the text says why, without the content."""

    def __init__(self, reason: str, *, is_denied: bool = False) -> None:
        super().__init__(reason)
        self.is_denied = is_denied
        """Whether only the permission is missing."""


class InvalidCertificateError(Exception):
    """A host presents a certificate that has expired or is for another host; the text says which."""


class Machine(Protocol):
    """Files, versions and the way to the mirror. Paths are absolute; nothing is changed."""

    @property
    def is_this_machine(self) -> bool:
        """Whether the files are those of the machine on which this program runs; the mirror is asked only then."""

    @property
    def home(self) -> str:
        """Home directory of the user whose files are read."""

    @property
    def user_id(self) -> int:
        """Numeric ID of that user."""

    def read(self, path: str) -> str | None:
        """The text of a file; None if there is none. Raises UnreadableFileError."""

    def mode(self, path: str) -> int | None:
        """The permissions of a file; None if there is none."""

    def names(self, directory: str) -> list[str] | None:
        """The names in a directory, sorted; None if there is no such directory. Raises UnreadableFileError."""

    def version(self, program: str) -> Version | None:
        """The version of an installed program; None if it cannot be found out."""

    def connect(self, host: str, ca_pem: str) -> None:
        """Request something from a host of the mirror; trusts the system's CAs and those of a PEM text.

        Raises RegistryError if there is no answer, UntrustedCertificateError if the CA of the certificate is not
        trusted, and InvalidCertificateError.
        """
