"""A running fetcher with a registry behind it, and its clients."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fetcher.account import Account
from fetcher.layers import Layers
from fetcher.manifests import Manifests
from fetcher.membership import Membership
from fetcher.messages import HEAD_LIMIT, Head, read_head, request_head
from fetcher.origin import Origin
from fetcher.referrers import Referrers
from fetcher.server import Server
from fetcher.upstream import Upstream
from fetcher.volume import Volume
from fetcher.way_out import way_out

MEGABYTE = 1024 * 1024
WAY_OUT = way_out(Path(), Path(), "")
Respond = Callable[[asyncio.StreamWriter], Awaitable[None]]


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def layer_path(content: bytes, repository: str = "library/demo") -> str:
    return f"/v2/{repository}/blobs/{digest_of(content)}"


@dataclass
class Registry:
    """Answers each path as a test says, and records what was asked."""

    port: int = 0
    asked: list[tuple[str, Head]] = field(default_factory=list)
    answers: dict[str, Respond] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_head(reader)
        self.asked.append((head.words[1], head))
        try:
            await self.answers.get(head.words[1], status(404))(writer)
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    def count(self, path: str) -> int:
        return sum(asked == path for asked, _ in self.asked)


def status(code: int, body: bytes = b"", **headers: str) -> Respond:
    async def respond(writer: asyncio.StreamWriter) -> None:
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.0 {code} -\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode() + body)

    return respond


def content(body: bytes, *, size: int | None = None) -> Respond:
    """All of a body, with its size or another one announced."""
    return pieces(len(body) if size is None else size, [body])


def pieces(size: int, parts: list[bytes | asyncio.Event]) -> Respond:
    """The parts of a body one after the other; an event is waited for."""

    async def respond(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.0 200 OK\r\nContent-Length: {size}\r\nDocker-Content-Digest: x\r\n\r\n".encode())
        for part in parts:
            if isinstance(part, asyncio.Event):
                await writer.drain()
                await part.wait()
            else:
                writer.write(part)

    return respond


@dataclass
class Answered:
    """What a client was sent; the body is shorter than announced if it was cut off."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def is_whole(self) -> bool:
        return len(self.body) == int(self.headers["content-length"])


@dataclass
class Setting:
    """The registry, the fetcher's state, and how a client asks."""

    registry: Registry
    volume: Volume
    socket: Path
    upstream: Registry
    is_up: asyncio.Server

    @asynccontextmanager
    async def open(
        self, path: str, method: str = "GET", **headers: str
    ) -> AsyncIterator[tuple[Head, asyncio.StreamReader]]:
        """A request whose body the test reads by itself."""
        reader, writer = await asyncio.open_unix_connection(str(self.socket), limit=HEAD_LIMIT)
        try:
            writer.write(request_head(path, headers).replace(b"GET", method.encode(), 1))
            yield await read_head(reader), reader
        finally:
            writer.transport.abort()

    async def ask(self, path: str, method: str = "GET", **headers: str) -> Answered:
        """A whole request."""
        async with self.open(path, method, **headers) as (head, reader):
            body = b""
            try:
                while chunk := await reader.read(MEGABYTE):
                    body += chunk
            except ConnectionError:
                pass
            return Answered(int(head.words[1]), dict(head.headers), body)

    async def until_complete(self, digest: str) -> None:
        """Wait until the layer is kept."""
        async with asyncio.timeout(10):
            while not self.volume.has(digest):
                await asyncio.sleep(0.01)


@asynccontextmanager
async def running(
    directory: Path, size: int = 64 * MEGABYTE, silence: float = 10, *, is_separate: bool = False, helper: str = ""
) -> AsyncIterator[Setting]:
    """A fetcher with an empty volume, or the one of an earlier run in the same directory."""
    registry, upstream, volume = Registry(), Registry(), Volume(directory, size)
    volume.open()
    listening = [await _listen(registry), await _listen(upstream)]
    origin = Origin("127.0.0.1", registry.port, silence)
    asked = Upstream(f"http://127.0.0.1:{upstream.port}", Account(helper), WAY_OUT)
    membership = Membership(origin, asked) if is_separate else None
    socket = directory / "s"
    server = Server(Layers(volume, origin, membership), Manifests(origin), Referrers(asked))
    serving = await asyncio.start_unix_server(server.serve, str(socket), limit=HEAD_LIMIT, backlog=1024)
    async with asyncio.timeout(30):
        try:
            yield Setting(registry, volume, socket, upstream, listening[1])
        finally:
            for each in (serving, *listening):
                each.close()


async def _listen(registry: Registry) -> asyncio.Server:
    server = await asyncio.start_server(registry.serve, "127.0.0.1", 0, limit=HEAD_LIMIT)
    registry.port = server.sockets[0].getsockname()[1]
    return server
