"""Requests to servers outside of the pod: through the proxy, with the certificates, and within limits."""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from fetcher.messages import HEAD_LIMIT, Answer, MessageError, read_head, request_head
from fetcher.no_proxy import is_direct

_PORTS = {"http": 80, "https": 443}
_WITHOUT_BODY = {204, 304}
_CHUNK = 64 * 1024

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class WayOut:
    """How servers outside are reached. The caller limits the time."""

    tls: ssl.SSLContext
    proxy: str = ""
    """The URL of the proxy, which may contain a password; empty: none."""
    no_proxy: tuple[str, ...] = ()

    async def request(self, method: str, url: str, headers: Mapping[str, str], limit: int) -> Answer:
        """Send a request and read the whole response, on a connection of its own; redirects are not followed.

        Raises MessageError if the server cannot be reached, or sends more than ``limit`` bytes or something that is not
        HTTP. The text does not contain the URL of the proxy.
        """
        parts = urlsplit(url)
        target = parts._replace(scheme="", netloc="", fragment="", path=parts.path or "/").geturl()
        sent = {
            "host": _authority(parts),
            "user-agent": "regmirror",
            "accept-encoding": "identity",
            "connection": "close",
        }
        try:
            async with self._connected(url, parts) as (reader, writer, is_absolute):
                proxied = self._proxy_authorization() if is_absolute else {}
                target = parts._replace(fragment="").geturl() if is_absolute else target
                writer.write(request_head(target, {**sent, **headers, **proxied}, method, "1.1"))
                return await _response(method, reader, limit)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            raise MessageError(f"{parts.hostname} cannot be reached ({type(error).__name__})") from error

    @asynccontextmanager
    async def _connected(
        self, url: str, parts: SplitResult
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter, bool]]:
        """The streams, and whether the request is for the proxy itself, which needs the whole URL (RFC 9112, 3.2.2)."""
        uses_proxy = bool(self.proxy) and not is_direct(url, self.no_proxy)
        reader, writer = await self._open(urlsplit(self.proxy) if uses_proxy else parts)
        try:
            if uses_proxy and parts.scheme == "https":
                await self._tunnel(parts, reader, writer)
            yield reader, writer, uses_proxy and parts.scheme == "http"
        finally:
            writer.transport.abort()

    async def _open(self, parts: SplitResult) -> Streams:
        tls = self.tls if parts.scheme == "https" else None
        return await asyncio.open_connection(parts.hostname, _port(parts), ssl=tls, limit=HEAD_LIMIT)

    async def _tunnel(self, parts: SplitResult, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        authority = f"{_host(parts)}:{_port(parts)}"
        writer.write(request_head(authority, {"host": authority, **self._proxy_authorization()}, "CONNECT", "1.1"))
        status = (await read_head(reader)).words[1]
        if status != "200":
            raise MessageError(f"the proxy refuses a connection to {authority}: {status}")
        await writer.start_tls(self.tls, server_hostname=parts.hostname)

    def _proxy_authorization(self) -> Mapping[str, str]:
        parts = urlsplit(self.proxy)
        if parts.username is None:
            return {}
        account = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return {"proxy-authorization": basic(account)}


def way_out(authority: Path, proxy: Path, no_proxy: str) -> WayOut:
    """The way out with the certificates and the URL of the proxy in these files, if they exist."""
    tls = ssl.create_default_context()
    if authority.is_file():
        tls.load_verify_locations(authority)
        # As Go, and so the registry: certificates without key identifiers are accepted, and every certificate of the
        # bundle is trusted, that of an intermediate CA too.
        tls.verify_flags = tls.verify_flags & ~ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    url = proxy.read_text().strip() if proxy.is_file() else ""
    return WayOut(tls, url, tuple(entry for entry in no_proxy.split(",") if entry))


def basic(account: str) -> str:
    """The header for ``user:password`` (RFC 7617)."""
    return f"Basic {b64encode(account.encode()).decode()}"


def _host(parts: SplitResult) -> str:
    return f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""


def _authority(parts: SplitResult) -> str:
    """The Host header: without a user, and with the port only if the URL has one."""
    return f"{_host(parts)}:{parts.port}" if parts.port else _host(parts)


def _port(parts: SplitResult) -> int:
    return parts.port or _PORTS[parts.scheme]


async def _response(method: str, reader: asyncio.StreamReader, limit: int) -> Answer:
    head = await read_head(reader)
    if not head.words[1].isdecimal():
        raise MessageError("not a status")
    status, length = int(head.words[1]), head.headers.get("content-length", "")
    if method == "HEAD" or status in _WITHOUT_BODY:
        return Answer(status, head.headers)
    if head.headers.get("transfer-encoding", "").lower() == "chunked":
        return Answer(status, head.headers, await _chunked(reader, limit))
    if length.isdecimal():
        if int(length) > limit:
            raise MessageError("the body is too large")
        return Answer(status, head.headers, await reader.readexactly(int(length)))
    return Answer(status, head.headers, await _until_end(reader, limit))


async def _chunked(reader: asyncio.StreamReader, limit: int) -> bytes:
    """A body in chunks (RFC 9112 section 7.1); what follows the last one is ignored."""
    body = bytearray()
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        if size < 0 or len(body) + size > limit:
            raise MessageError("the body is too large")
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    return bytes(body)


async def _until_end(reader: asyncio.StreamReader, limit: int) -> bytes:
    body = bytearray()
    while chunk := await reader.read(_CHUNK):
        body += chunk
        if len(body) > limit:
            raise MessageError("the body is too large")
    return bytes(body)
