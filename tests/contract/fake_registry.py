"""A registry over TLS that has every image, and serves it to tokens that grant the pull."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt

from .configurations import SERVICE
from .signing_keys import KeyPair

_TYPE = "application/vnd.oci.image.index.v1+json"
_INDEX = json.dumps({"schemaVersion": 2, "mediaType": _TYPE, "manifests": []}).encode()
DIGEST = f"sha256:{sha256(_INDEX).hexdigest()}"


@dataclass
class FakeRegistry:
    """``subjects`` are the accounts of the tokens that it has accepted."""

    host: str
    subjects: list[str] = field(default_factory=list)


@contextmanager
def fake_registry(pair: KeyPair, realm: str) -> Iterator[FakeRegistry]:
    """Serves on a free port of 127.0.0.1 during the block; ``realm`` is the URL of the token server."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            scheme, _, token = self.headers.get("Authorization", "").partition(" ")
            claims = jwt.decode(token, options={"verify_signature": False}) if scheme == "Bearer" else {}
            granted = any("pull" in access["actions"] for access in claims.get("access", []))
            self.send_response(200 if granted else 401)
            if granted:
                registry.subjects.append(claims["sub"])
                self.send_header("Docker-Content-Digest", DIGEST)
                self.send_header("Content-Type", _TYPE)
            else:
                repository = self.path.removeprefix("/v2/").partition("/manifests/")[0]
                scope = f'scope="repository:{repository}:pull"'
                self.send_header("WWW-Authenticate", f'Bearer realm="{realm}",service="{SERVICE}",{scope}')
            self.send_header("Content-Length", str(len(_INDEX)) if granted else "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        registry = FakeRegistry(f"127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield registry
        finally:
            server.shutdown()
            thread.join()
