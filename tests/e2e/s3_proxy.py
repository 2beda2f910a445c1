"""A proxy for the lab's S3 server that can be down, slow or fail for one mirror."""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

CHUNK = 2**18
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "expect"}
WRITES = {"PUT", "POST"}


@dataclass(frozen=True)
class S3Fault:
    """A fault of S3: it fails all requests, or only writes; or it never answers, or is slow.

    Each answer is delayed by ``seconds``, and its body is sent at ``bytes_per_second``.
    """

    status: int = 0
    code: str = ""
    only_writes: bool = False
    hang: bool = False
    seconds: float = 0.0
    bytes_per_second: int = 0

    def refuses(self, method: str) -> bool:
        """Whether a request with this method fails."""
        return bool(self.status) and (method in WRITES or not self.only_writes)


HANGING = S3Fault(hang=True)
SLOW = S3Fault(seconds=0.2, bytes_per_second=1_000_000)
FULL = S3Fault(507, "XMinioStorageFull", only_writes=True)
KEY_REVOKED = S3Fault(403, "InvalidAccessKeyId")


@dataclass
class S3Proxy:
    """Forwards HTTP from a port on ``address`` to the object store at ``backend``, with an optional fault."""

    address: str
    backend: str
    port: int = 0
    fault: S3Fault = field(default_factory=S3Fault)
    tls: ssl.SSLContext | None = None
    _recovered: threading.Event = field(default_factory=threading.Event)
    _open: set[socket.socket] = field(default_factory=set)
    _server: ThreadingHTTPServer | None = None

    @contextmanager
    def serving(self) -> Iterator["S3Proxy"]:
        """Runs the proxy for the duration of the block."""
        self.start()
        try:
            yield self
        finally:
            self.recover()
            self.stop()

    def start(self) -> None:
        """Accept connections, always on the same port."""
        proxy = self

        class Relay(_Relay):
            s3 = proxy

        self._server = _Server((self.address, self.port), Relay)
        self.port = self._server.server_address[1]
        if self.tls:
            sockets = self._server.socket
            self._server.socket = self.tls.wrap_socket(sockets, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        """Refuse connections, and close existing ones."""
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def fail_with(self, fault: S3Fault) -> None:
        """Apply a fault from now on."""
        self._recovered.clear()
        self.fault = fault

    def recover(self) -> None:
        """End the fault; connections of hanging requests are closed."""
        self.fault = S3Fault()
        self._recovered.set()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


class _Relay(BaseHTTPRequestHandler):
    """A connection of a client, with its own connection to the object store."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    s3: S3Proxy

    def setup(self) -> None:
        super().setup()
        self.s3._open.add(self.connection)
        self.store = http.client.HTTPConnection(urlsplit(self.s3.backend).netloc)

    def finish(self) -> None:
        self.s3._open.discard(self.connection)
        self.store.close()
        with contextlib.suppress(OSError):
            super().finish()

    def handle(self) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            super().handle()

    def relay(self) -> None:
        fault = self.s3.fault
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if fault.hang:
            self.s3._recovered.wait()
            self.close_connection = True
        elif fault.refuses(self.command):
            self._refuse(fault)
        else:
            time.sleep(fault.seconds)
            self._pass_on(body, fault.bytes_per_second)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = relay  # noqa: N815 - the names are http.server's

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""

    def _refuse(self, fault: S3Fault) -> None:
        text = f"<Error><Code>{fault.code}</Code><Message>a fault of the test</Message></Error>".encode()
        self.send_response(fault.status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def _pass_on(self, body: bytes, bytes_per_second: int) -> None:
        self.store.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in HOP_BY_HOP:
                self.store.putheader(name, value)
        self.store.endheaders(body or None)
        answer = self.store.getresponse()
        whole = answer.read() if answer.length is None else None
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        if whole is not None and "Content-Length" not in answer.headers:
            self.send_header("Content-Length", str(len(whole)))
        self.end_headers()
        self.wfile.write(whole or b"")
        size = CHUNK if not bytes_per_second else bytes_per_second // 10
        while chunk := answer.read(size):
            self.wfile.write(chunk)
            time.sleep(len(chunk) / bytes_per_second if bytes_per_second else 0)
