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


class Http(Protocol):
    """Requests that do not follow redirects. Every method raises RegistryError, with the cause, if there is no answer.

    An untrusted certificate is an UntrustedCertificateError.
    """

    def trust(self, pem: bytes) -> None:
        """Trust these CA certificates too, from now on; raises ValueError unless they are PEM certificates."""

    def request(self, method: str, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """One request; a body over 16 MiB is a RegistryError."""

    def certificate(self, host: str) -> bytes:
        """The certificate (DER) that a host presents on port 443, trusted or not."""

    def stream(self, url: str, headers: Mapping[str, str] | None = None) -> AbstractContextManager[StreamedAnswer]:
        """GET a body of any size, piece by piece."""
