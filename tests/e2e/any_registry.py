"""An upstream with manifests of any size and type, which distribution behind the lab's Docker Hub would not accept."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.e2e.upstream_artifacts import digest_of

ALGORITHMS = ("sha256", "sha512")


@dataclass(frozen=True)
class Content:
    """A body, its media type, and the digest that the registry names."""

    body: bytes
    kind: str
    digest: str


@dataclass
class AnyRegistry:
    """A registry without tokens. Everything is in all of its repositories."""

    port: int = 0
    _content: dict[str, Content] = field(default_factory=dict)
    """By tag and by digest."""

    def add(self, tag: str, body: bytes, kind: str) -> None:
        """Add a manifest."""
        for algorithm in ALGORITHMS:
            digest = digest_of(body, algorithm)
            self._content[digest] = Content(body, kind, digest)
        self._content[tag] = self._content[digest_of(body)]

    def find(self, path: str) -> Content | None:
        """What is at a path, without a query."""
        if path == "/v2/":
            return Content(b"{}", "application/json", "")
        return self._content.get(path.rpartition("/")[2])

    @contextmanager
    def serving(self, address: str) -> Iterator["AnyRegistry"]:
        """Serve for the duration of the block, on a free port."""
        with _Server((address, 0), self) as server:
            self.port = server.server_address[1]
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield self
            server.shutdown()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], registry: AnyRegistry) -> None:
        super().__init__(address, _Handler)
        self.registry = registry


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def handle(self) -> None:
        # A client that has read enough closes the connection.
        with suppress(ConnectionError):
            super().handle()

    def respond(self) -> None:
        found = self.server.registry.find(self.path)
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(found.body) if found else 0))
        if found:
            self.send_header("Content-Type", found.kind)
            self.send_header("Docker-Content-Digest", found.digest)
        self.end_headers()
        if found and self.command == "GET":
            self.wfile.write(found.body)

    do_GET = do_HEAD = respond  # noqa: N815 - the names are http.server's

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""
