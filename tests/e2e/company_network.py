"""A company's network, in parts: its own CA, a registry behind its HTTP proxy, and that proxy."""

import base64
import http.client
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CHUNK = 2**16
RELAYED = ("Accept", "Range", "If-None-Match")


class Authority:
    """A private CA as companies have them: without the extensions that OpenSSL's strict mode demands."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Company CA")])
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        builder = self._builder(self._name, self._key.public_key()).add_extension(constraints, critical=True)
        self.pem = builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def context(self, host: str, directory: Path) -> ssl.SSLContext:
        """TLS of a server with a certificate for a host."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        builder = self._builder(subject, key.public_key()).add_extension(names, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        form, encryption = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        path = directory / f"{host}.pem"
        path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, encryption) + certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        builder = builder.serial_number(x509.random_serial_number())
        return builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))


@dataclass
class CompanyRegistry:
    """Serves the images of a registry over TLS, to one account with Basic authentication, as ECR does."""

    backend: str
    """Host and port of the registry that has the images."""
    tls: ssl.SSLContext
    account: tuple[str, str]
    port: int = 0
    challenge: str = 'Basic realm="company"'

    @contextmanager
    def serving(self, address: str) -> Iterator["CompanyRegistry"]:
        """Serve for the duration of the block, on a free port."""
        registry = self

        class Handler(_RegistryHandler):
            company = registry

        with _serving(_Server((address, 0), Handler, self.tls)) as self.port:
            yield self


class _RegistryHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    company: CompanyRegistry

    def relay(self) -> None:
        expected = "Basic " + base64.b64encode(":".join(self.company.account).encode()).decode()
        if self.headers.get("Authorization") != expected:
            self.send_response(401)
            self.send_header("WWW-Authenticate", self.company.challenge)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        backend = http.client.HTTPConnection(self.company.backend)
        # The registry sends each accepted media type in a header of its own.
        headers = {name: ", ".join(values) for name in RELAYED if (values := self.headers.get_all(name))}
        backend.request(self.command, self.path, headers=headers)
        answer = backend.getresponse()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"connection", "transfer-encoding"}:
                self.send_header(name, value)
        self.end_headers()
        while chunk := answer.read(CHUNK):
            self.wfile.write(chunk)
        backend.close()

    do_GET = do_HEAD = relay  # noqa: N815 - the names are http.server's

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@dataclass
class CompanyProxy:
    """An HTTP proxy with a password; it alone knows where ``routes`` lead: (host, port) by ``host:port``."""

    routes: dict[str, tuple[str, int]]
    account: tuple[str, str]
    port: int = 0
    targets: list[str] = field(default_factory=list)
    """What clients asked for, as host:port."""

    @contextmanager
    def serving(self, address: str) -> Iterator["CompanyProxy"]:
        """Serve for the duration of the block, on a free port."""
        proxy = self

        class Handler(_ProxyHandler):
            company = proxy

        with _serving(_Server((address, 0), Handler)) as self.port:
            yield self


class _ProxyHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    company: CompanyProxy

    def do_CONNECT(self) -> None:
        self.company.targets.append(self.path)
        expected = "Basic " + base64.b64encode(":".join(self.company.account).encode()).decode()
        if self.headers.get("Proxy-Authorization") != expected:
            self.send_error(407)
        elif self.path not in self.company.routes:
            self.send_error(403)
        else:
            with socket.create_connection(self.company.routes[self.path]) as other:
                self.send_response(200)
                self.end_headers()
                with suppress(OSError):
                    _join(self.connection, other)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


def _join(one: socket.socket, other: socket.socket) -> None:
    """Pass on what each sends to the other, until one of them ends."""
    peers = {one: other, other: one}
    while True:
        for ready in select.select(list(peers), [], [])[0]:
            data = ready.recv(CHUNK)
            if not data:
                return
            peers[ready].sendall(data)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(
        self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(address, handler)
        if tls:
            # The handshake in the thread of the connection, when it first reads: a silent client blocks nobody.
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that does not trust the certificate is part of the tests."""


@contextmanager
def _serving(server: ThreadingHTTPServer) -> Iterator[int]:
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
