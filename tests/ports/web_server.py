"""A web server on the loopback interface that a function implements, optionally with TLS."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from tests import samples
from tests.fakes.http import Host, Request


@contextmanager
def serving(host: Host, certificate: Path | None = None) -> Iterator[int]:
    """Serve on a free port; yields its number. ``certificate`` is a file with a certificate and its key."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            answer = host(Request(self.command, f"http://{self.headers['Host']}{self.path}", dict(self.headers)))
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        do_GET = do_HEAD = do_POST = _answer  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def write_certificate(path: Path, name: str) -> Path:
    """A self-signed certificate for one host name, and its key, in one file."""
    key = samples.key_pair().private_key
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = samples.NOW - timedelta(days=3650)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 1, start, start + timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + samples.key_pair().key_pem)
    return path
