"""HTTP without a network: each host is a function."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from regmirror.errors import RegistryError
from regmirror.ports.http import Answer, Detour, StreamedAnswer

_LIMIT = 16 * 2**20
_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Request:
    """What a host was asked."""

    method: str
    url: str
    headers: Mapping[str, str]

    @property
    def path(self) -> str:
        """The path of the URL."""
        return urlsplit(self.url).path

    @property
    def query(self) -> dict[str, list[str]]:
        """The query of the URL."""
        return parse_qs(urlsplit(self.url).query)


Host = Callable[[Request], Answer]


@dataclass
class FakeHttp:
    """Asks the function behind ``https://HOST`` or ``http://HOST``; a host that is not there does not resolve."""

    hosts: dict[str, Host] = field(default_factory=dict)
    """By scheme and host."""
    certificates: dict[str, bytes] = field(default_factory=dict)
    """By ``HOST`` or ``HOST:PORT``: what it presents, as DER."""
    detours: dict[tuple[str, int], Detour] = field(default_factory=dict)
    """By host and port."""
    requests: list[Request] = field(default_factory=list)
    """Everything that was asked, in order."""
    trusted: list[bytes] = field(default_factory=list)
    """The CA certificates that were added, as PEM."""

    def trust(self, pem: bytes) -> None:
        self.trusted.append(pem)

    def request(self, method: str, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        answer = self._ask(method, url, headers)
        if len(answer.body) > _LIMIT:
            raise RegistryError(f"{url} answered more than 16 MiB")
        return answer

    def certificate(self, endpoint: str) -> bytes:
        if endpoint not in self.certificates:
            raise RegistryError(f"the host name {endpoint} does not resolve")
        return self.certificates[endpoint]

    def detour(self, host: str, port: int) -> Detour | None:
        return self.detours.get((host, port))

    @contextmanager
    def stream(self, url: str, headers: Mapping[str, str] | None = None) -> Iterator[StreamedAnswer]:
        answer = self._ask("GET", url, headers)
        chunks = (answer.body[start : start + _CHUNK] for start in range(0, len(answer.body), _CHUNK))
        yield StreamedAnswer(answer.status, answer.headers, chunks)

    def _ask(self, method: str, url: str, headers: Mapping[str, str] | None) -> Answer:
        request = Request(method, url, dict(headers or {}))
        self.requests.append(request)
        parts = urlsplit(url)
        host = self.hosts.get(f"{parts.scheme}://{parts.netloc}")
        if host is None:
            raise RegistryError(f"the host name {parts.hostname} does not resolve")
        answer = host(request)
        return Answer(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.body)
