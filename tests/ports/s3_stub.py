"""A small S3 store in memory that refuses what some stores refuse; it checks no signature."""

from __future__ import annotations

import re
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

Headers = dict[str, str]


@dataclass
class S3Stub:
    """One bucket, named ``layers``; each setting is a trait of a store or the policy of its bucket."""

    region: str = ""
    """The region that requests must be signed for; empty accepts any."""
    names_region: str = "field"
    """Where the refusal names it: field, header, message or nowhere."""
    redirects: bool = False
    """Whether the refusal is AWS's redirect."""
    required: Headers = field(default_factory=dict)
    """Headers without which no object may be created, by lower-case name."""
    refused: tuple[str, ...] = ()
    """Headers that the store does not know."""
    deletes_several: bool = True
    knows_crc: bool = True
    """Whether checksums newer than Content-MD5 are accepted."""
    failure: str = ""
    """The code with which every request fails."""
    objects: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str, Headers]] = field(default_factory=list)
    """Method, key and headers of every request."""

    def answer(self, method: str, url: str, headers: Headers, body: bytes) -> tuple[int, str, Headers]:
        """The status, body and headers of an answer."""
        parts = urlsplit(url)
        query, key = parse_qs(parts.query, keep_blank_values=True), unquote(parts.path).removeprefix("/layers")[1:]
        self.requests.append((method, key, headers))
        if self.failure:
            return 409, _error(self.failure, "try later"), {}
        if self.region and _scope(headers) != self.region:
            return self._wrong_region()
        if method == "PUT" and (refusal := self._refusal(headers)):
            return refusal
        if method == "POST" and "delete" in query:
            return self._delete_several(headers, body)
        return self._object(method, key, query.get("prefix", [""])[0], body)

    def _wrong_region(self) -> tuple[int, str, Headers]:
        expecting = f"; expecting '{self.region}'" if self.names_region == "message" else ""
        inner = f"<Region>{self.region}</Region>" if self.names_region == "field" else ""
        named = {"x-amz-bucket-region": self.region} if self.names_region == "header" else {}
        code, status = ("PermanentRedirect", 301) if self.redirects else ("AuthorizationHeaderMalformed", 400)
        return status, _error(code, f"the region is wrong{expecting}.", inner), named

    def _refusal(self, headers: Headers) -> tuple[int, str, Headers] | None:
        if any(headers.get(name) != value for name, value in self.required.items()):
            return 403, _error("AccessDenied", "Access Denied"), {}
        if any(name in headers for name in self.refused):
            return 501, _error("NotImplemented", "A header is not implemented"), {}
        return None

    def _delete_several(self, headers: Headers, body: bytes) -> tuple[int, str, Headers]:
        if not self.deletes_several:
            return 400, _error("NotImplemented", "not implemented"), {}
        is_new = any(name.startswith("x-amz-checksum") for name in headers)
        expected = b64encode(md5(body, usedforsecurity=False).digest()).decode()
        if not self.knows_crc and (is_new or headers.get("content-md5") != expected):
            return 400, _error("MissingContentMD5", "Missing required header for this request: Content-MD5"), {}
        for key in re.findall(r"<Key>([^<]*)</Key>", body.decode()):
            self.objects.pop(key, None)
        return 200, "<DeleteResult/>", {}

    def _object(self, method: str, key: str, prefix: str, body: bytes) -> tuple[int, str, Headers]:
        if method == "GET" and not key:
            found = {name: content for name, content in self.objects.items() if name.startswith(prefix)}
            entries = "".join(
                f"<Contents><Key>{escape(name)}</Key><Size>{len(content)}</Size></Contents>"
                for name, content in found.items()
            )
            return 200, f"<ListBucketResult>{entries}</ListBucketResult>", {}
        if method == "PUT":
            self.objects[key] = body
            return 200, "", {}
        if method == "DELETE":
            self.objects.pop(key, None)
            return 204, "", {}
        return (200, self.objects[key].decode(), {}) if key in self.objects else (404, _error("NoSuchKey", ""), {})

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Serve on a free port of the loopback interface; yields the endpoint."""
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, text, added = stub.answer(self.command, self.path, headers, body)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(text.encode())), **added}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - the names that http.server calls

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}"
            finally:
                server.shutdown()
                thread.join()


def _scope(headers: Headers) -> str:
    """The region for which a request is signed."""
    match = re.search(r"Credential=[^/]+/[^/]+/([^/]+)/s3/", headers.get("authorization", ""))
    return match[1] if match else ""


def _error(code: str, message: str, inner: str = "") -> str:
    return f"<Error><Code>{code}</Code><Message>{message}</Message>{inner}</Error>"
