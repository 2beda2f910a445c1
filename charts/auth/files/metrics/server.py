"""The scrape port: one page, for few connections at a time, and one more for those who may forward ports."""

import asyncio
import ipaddress
import logging
import time
from dataclasses import dataclass, field

from metrics.collect import Collector
from metrics.samples import CONTENT_TYPE

HEAD_LIMIT = 8 << 10
_TIME = 15.0
"""Seconds for a whole request: to send it, and to read the answer."""
_CONNECTIONS = 16
"""Connections at a time; more are closed at once."""
_VALID = 0.5
"""Seconds for which the same text is sent again, so that many scrapes cost what a few cost."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Server:
    """Answers GET and HEAD of /metrics, and of /top on loopback, where only port-forwards and the pod itself are."""

    collector: Collector
    open_connections: int = 0
    _text: bytes = b""
    _ends: float = 0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection, and close it."""
        if self.open_connections >= _CONNECTIONS:
            writer.transport.abort()
            return
        self.open_connections += 1
        try:
            async with asyncio.timeout(_TIME):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(await self._answer(head, _is_local(writer)))
                await writer.drain()
                writer.close()
                await writer.wait_closed()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError, TimeoutError):
            writer.transport.abort()
        finally:
            self.open_connections -= 1

    async def _answer(self, head: bytes, is_local: bool) -> bytes:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if path != b"/metrics" and not (path == b"/top" and is_local):
            return _response("404 Not Found", b"not found: only /metrics is here\n")
        if method not in {b"GET", b"HEAD"}:
            return _response("405 Method Not Allowed", b"", "Allow: GET, HEAD\r\n")
        body = self.collector.top_text().encode() if path == b"/top" else await self._metrics()
        response = _response("200 OK", body, f"Content-Type: {CONTENT_TYPE}\r\n")
        return response if method == b"GET" else response.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"

    async def _metrics(self) -> bytes:
        async with self._lock:
            if time.monotonic() >= self._ends:
                self._text = (await self.collector.text()).encode()
                self._ends = time.monotonic() + _VALID
            return self._text


def _is_local(writer: asyncio.StreamWriter) -> bool:
    """Whether the client is in the pod's network: names of images are for those who may forward its ports."""
    address = ipaddress.ip_address(writer.get_extra_info("peername")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _response(status: str, body: bytes, headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
