"""A hostile client: HTTP/1.1 over TLS byte by byte, from its own address, as fast or as slowly as an attack needs."""

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

Answers = Counter[str]
"""How often the attacker got each status, CLOSED or OPEN."""
CLOSED, OPEN = "closed", "open"
"""The server closed the connection without an answer; the attacker ended it before an answer came."""
PATIENCE = 30.0
"""Seconds that the attacker waits for a connection or an answer."""
BROKEN = (OSError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError)
"""What an asyncio stream raises when the server closes the connection, or does not speak HTTP."""


@dataclass(frozen=True)
class Victim:
    """A public endpoint, and what an anonymous client can learn about it.

    ``source`` is the attacker's address. ``layer`` and ``manifest`` are digests in ``repository``, which ``token``
    allows to pull.
    """

    host: str
    address: str
    port: int
    authority: Path | None
    source: str
    repository: str
    token: str
    manifest: str
    layer: str

    def request(self, method: str, path: str, *headers: str) -> bytes:
        """The head of a request; ``{...}`` in its parts are replaced with the fields of this object."""
        lines = [f"{method} {path} HTTP/1.1", "Host: {host}", *headers]
        return "".join(line.format_map(vars(self)) + "\r\n" for line in lines).encode() + b"\r\n"


class Connection:
    """One connection of the attacker."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        """Send bytes, at the pace of the server."""
        self._writer.write(data)
        await self._writer.drain()

    async def read(self, size: int, patience: float = PATIENCE) -> bytes:
        """At most ``size`` bytes of the answer; none if the server sends none in time or has closed the connection."""
        try:
            return await asyncio.wait_for(self._reader.read(size), patience)
        except (*BROKEN, TimeoutError):
            return b""

    async def status(self, patience: float = PATIENCE) -> str:
        """The status of the next answer, without its headers and body."""
        try:
            line = await asyncio.wait_for(self._reader.readline(), patience)
        except TimeoutError:
            return OPEN
        except BROKEN:
            return CLOSED
        return line.split()[1].decode() if line.startswith(b"HTTP/") else CLOSED

    async def exchange(self, request: bytes) -> str:
        """Send a request and read its whole answer; returns its status, even if the rest does not come."""
        try:
            await self.send(request)
        except BROKEN:
            return CLOSED
        status = await self.status()
        try:
            if status.isdigit():
                await asyncio.wait_for(self._skip_answer(has_body=not request.startswith(b"HEAD ")), PATIENCE)
        except (*BROKEN, TimeoutError):
            self.cut()
        return status

    async def _skip_answer(self, has_body: bool) -> None:
        head = await self._reader.readuntil(b"\r\n\r\n")
        headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n") if b": " in line)
        if b"chunked" in headers.get(b"transfer-encoding", b""):
            while size := int(await self._reader.readline(), 16):
                await self._reader.readexactly(size + 2)
            await self._reader.readline()
        elif has_body:
            await self._reader.readexactly(int(headers.get(b"content-length", b"0")))
        if headers.get(b"connection") == b"close":
            self._writer.close()

    @property
    def is_closed(self) -> bool:
        """Whether the connection cannot be used for another request."""
        return self._writer.is_closing() or self._reader.at_eof()

    def cut(self) -> None:
        """End the connection without TLS's goodbye."""
        self._writer.transport.abort()


@asynccontextmanager
async def connected(victim: Victim, receive_buffer: int = 0) -> AsyncIterator[Connection]:
    """A connection for the duration of the block; ``receive_buffer`` bounds the bytes that the kernel reads ahead."""
    connection = await asyncio.wait_for(_connect(victim, receive_buffer), PATIENCE)
    try:
        yield connection
    finally:
        connection.cut()


async def _connect(victim: Victim, receive_buffer: int) -> Connection:
    plain = socket.socket()
    try:
        plain.setblocking(False)
        if receive_buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plain.bind((victim.source, 0))
        await asyncio.get_running_loop().sock_connect(plain, (victim.address, victim.port))
        context = _context(victim.authority) if victim.authority else None
        name = victim.host if context else None
        streams = await asyncio.open_connection(
            sock=plain, ssl=context, server_hostname=name, ssl_handshake_timeout=PATIENCE if context else None
        )
    except BaseException:
        plain.close()
        raise
    return Connection(*streams)


@cache
def _context(authority: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority))


async def together(count: int, act: Callable[[], Awaitable[str]]) -> Answers:
    """What ``count`` clients get that do the same at once."""
    return Answers(await asyncio.gather(*(_answer_of(act) for _ in range(count))))


async def _answer_of(act: Callable[[], Awaitable[str]]) -> str:
    """What a client gets; a connection that the server does not accept counts as closed."""
    try:
        return await act()
    except (*BROKEN, TimeoutError):
        return CLOSED


async def flood(victim: Victim, requests: Iterable[bytes], connections: int) -> Answers:
    """Send all requests as fast as possible over kept-alive connections; returns what they got."""
    left, answers = iter(requests), Answers()

    async def work() -> None:
        request = next(left, None)
        while request is not None:
            try:
                async with connected(victim) as connection:
                    while request is not None and not connection.is_closed:
                        answers[await connection.exchange(request)] += 1
                        request = next(left, None)
            except (*BROKEN, TimeoutError):
                answers[CLOSED] += 1
                request = next(left, None)

    await asyncio.gather(*(work() for _ in range(connections)))
    return answers


async def upload(
    victim: Victim,
    head: bytes,
    body: Iterable[bytes],
    pause: float = 0.0,
    seconds: float = PATIENCE,
    patience: float = PATIENCE,
) -> str:
    """Send a request with a body until it is answered, with a pause after each part; returns the status.

    Sending ends after ``seconds``; then the answer may take ``patience``.
    """
    async with connected(victim) as connection:
        await connection.send(head)
        sending = asyncio.create_task(_send_all(connection, body, pause))
        answer = asyncio.create_task(connection.status(seconds + patience))
        await asyncio.wait({sending, answer}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        sending.cancel()
        try:
            return await asyncio.wait_for(answer, patience)
        except TimeoutError:
            return OPEN


async def _send_all(connection: Connection, body: Iterable[bytes], pause: float) -> None:
    with suppress(*BROKEN):
        for part in body:
            await connection.send(part)
            await asyncio.sleep(pause)
