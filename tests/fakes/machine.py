"""A machine as a tree of files."""

from __future__ import annotations

from dataclasses import dataclass, field

from regmirror.errors import RegistryError, UntrustedCertificateError
from regmirror.ports.machine import InvalidCertificateError, UnreadableFileError, Version


@dataclass
class FakeMachine:
    """Files by path; a file with None as content cannot be read."""

    files: dict[str, str | None] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    versions: dict[str, Version] = field(default_factory=dict)
    home: str = "/root"
    user_id: int = 0
    is_this_machine: bool = True
    signed_by: str | None = None
    """The CA of the mirror's certificate, "" for a public one; None if the mirror cannot be reached."""
    has_expired: bool = False
    """Whether the mirror's certificate has expired."""

    def read(self, path: str) -> str | None:
        content = self.files.get(path, "")
        if content is None:
            raise UnreadableFileError("Permission denied", is_denied=True)
        return content if path in self.files else None

    def mode(self, path: str) -> int | None:
        return self.modes.get(path, 0o600) if path in self.files else None

    def names(self, directory: str) -> list[str] | None:
        prefix = directory.rstrip("/") + "/"
        return sorted({path[len(prefix) :].split("/")[0] for path in self.files if path.startswith(prefix)}) or None

    def version(self, program: str) -> Version | None:
        return self.versions.get(program)

    def connect(self, host: str, ca_pem: str) -> None:
        if self.signed_by is None:
            raise RegistryError(f"cannot reach {host}")
        system = self.files.get("/etc/ssl/certs/ca-certificates.crt") or ""
        if self.signed_by not in ca_pem + system:
            raise UntrustedCertificateError(f"the certificate of {host} is not trusted")
        if self.has_expired:
            raise InvalidCertificateError(f"the certificate of {host} has expired")
