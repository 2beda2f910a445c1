"""The HTTP requests that regmirror needs."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete response; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class StreamedAnswer:
    """A response whose body is still to be read; header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    chunks: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Detour:
    """The address and port that are used for a host instead of those that clients use."""

    address: str
    port: int
    dns: tuple[str, ...]
    """The addresses of the host in DNS, as this machine sees it; none if it does not resolve."""


class Http(Protocol):
    """Requests that do not follow redirects. Every method raises RegistryError, with the cause, if there is no answer.

    An untrusted certificate is an UntrustedCertificateError.
    """

    def trust(self, pem: bytes) -> None:
        """Trust these CA certificates too, from now on; raises ValueError unless they are PEM certificates."""

    def request(self, method: str, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """One request; a body over 16 MiB is a RegistryError."""

    def certificate(self, endpoint: str) -> bytes:
        """The certificate (DER) that ``HOST`` or ``HOST:PORT`` presents, trusted or not; the default port is 443."""

    def detour(self, host: str, port: int) -> Detour | None:
        """How requests to this port of a host differ from those of clients; None if they do not."""

    def stream(self, url: str, headers: Mapping[str, str] | None = None) -> AbstractContextManager[StreamedAnswer]:
        """GET a body of any size, piece by piece."""
