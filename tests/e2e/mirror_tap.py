"""A proxy in front of a mirror that records what clients send to it."""

import base64
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.docker_io import Credential, SeenRequest, Traffic, sha256

CHUNK = 2**18
HTTPS = 443
_NOT_FORWARDED = {"host", "connection", "transfer-encoding", "keep-alive"}


@dataclass
class MirrorTap:
    """Serves a mirror with its host and certificate, but on another address or port; tokens as well.

    A client uses it by its URL, or by an address that only this client knows for the host.
    """

    mirror: DeployedMirror
    address: str = ""
    """By default that of the mirror."""
    port: int = 0
    """By default a free one."""
    _requests: list[SeenRequest] = field(default_factory=list)
    _server: "_Server | None" = None

    @property
    def url(self) -> str:
        """The URL that clients use instead of that of the mirror."""
        return f"https://{self.mirror.host}" + ("" if self.port == HTTPS else f":{self.port}")

    @property
    def seen(self) -> Traffic:
        """What clients sent since ``forget``; connections are not counted."""
        return Traffic(requests=tuple(self._requests))

    def forget(self) -> None:
        """Forget all requests."""
        self._requests.clear()

    @contextmanager
    def serving(self) -> Iterator["MirrorTap"]:
        """Serve for the duration of the block."""
        self._start()
        try:
            yield self
        finally:
            self._stop()

    @contextmanager
    def down(self) -> Iterator[None]:
        """Refuse connections for the duration of the block."""
        self._stop()
        try:
            yield
        finally:
            self._start()

    def _start(self) -> None:
        self._server = _Server((self.address or self.mirror.target.address, self.port), self)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def _stop(self) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], tap: MirrorTap) -> None:
        super().__init__(address, _Relay)
        self.tap = tap
        target = tap.mirror.target
        assert target.certificate
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(target.certificate, target.key)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.open: set[socket.socket] = set()

    def close(self) -> None:
        """Close the port and the connections, which clients would use again."""
        self.server_close()
        for connection in list(self.open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Relay(BaseHTTPRequestHandler):
    """A connection of a client."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.connection)

    def finish(self) -> None:
        self.server.open.discard(self.connection)
        super().finish()

    def handle(self) -> None:
        with suppress(OSError, http.client.HTTPException):
            super().handle()

    def relay(self) -> None:
        """Record a request, and answer as the mirror does."""
        tap = self.server.tap
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        tap._requests.append(self._seen(body))
        context = ssl.create_default_context(cafile=str(tap.mirror.target.authority))
        mirror = http.client.HTTPSConnection(tap.mirror.host, context=context)
        mirror.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        mirror.putheader("Host", tap.mirror.host)
        # Several headers can have one name: podman sends an Accept header for each media type.
        for name, value in self.headers.items():
            if name.lower() not in _NOT_FORWARDED:
                mirror.putheader(name, value)
        mirror.endheaders(body or None)
        with mirror.getresponse() as answer:
            self._answer(answer, f"https://{tap.mirror.host}/", f"{tap.url}/")
        mirror.close()

    do_GET = do_HEAD = do_POST = relay  # noqa: N815 (the names of http.server)

    def _seen(self, body: bytes) -> SeenRequest:
        return SeenRequest(
            self.command, self.headers["Host"], urlsplit(self.path).path, (*self._in_header(), *self._in_form(body))
        )

    def _in_header(self) -> Iterator[Credential]:
        for header in self.headers.get_all("Authorization", []):
            scheme, _, secret = header.partition(" ")
            if scheme.lower() == "basic":
                user, _, password = base64.b64decode(secret).decode().partition(":")
                yield _credential("basic", user, password)
            else:
                yield _credential(scheme.lower(), "", secret)

    def _in_form(self, body: bytes) -> Iterator[Credential]:
        fields = parse_qs(body.decode("latin-1"))
        for name in ("password", "refresh_token"):
            for secret in fields.get(name, []):
                yield _credential(name, fields.get("username", [""])[0], secret)

    def _answer(self, answer: http.client.HTTPResponse, url_of_mirror: str, own_url: str) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in _NOT_FORWARDED:
                # The address of /auth.
                self.send_header(name, value.replace(url_of_mirror, own_url))
        if "Content-Length" not in answer.headers:
            self.send_header("Connection", "close")
        self.end_headers()
        while piece := answer.read(CHUNK):
            self.wfile.write(piece)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


def _credential(kind: str, user: str, secret: str) -> Credential:
    return Credential(kind, user, sha256(secret))
