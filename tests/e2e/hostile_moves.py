"""What a hostile client does to a mirror; each function returns how its requests were answered."""

import asyncio
import itertools
import secrets
import time
from collections.abc import Iterator

from tests.e2e.hostile_client import CLOSED, OPEN, Answers, Victim, connected, flood, together, upload

BODY, PART = 32_000_000, 100_000
"""Bytes of a body: as much as Go's FormValue keeps in memory; and of one part of it."""
FORM = (
    b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\nContent-Type: application/octet-stream\r\n\r\n'
)
SMALL_BUFFER = 4096
"""A receive buffer that makes a slow reader slow for the server, too."""
TYPES = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"
TOKEN = "Authorization: Bearer {token}"


async def bodies(victim: Victim, method: str, path: str, clients: int = 24, chunked: bool = False) -> Answers:
    """Send form data of 32 MB without a token, from many clients at once."""
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {BODY}"
    head = victim.request(method, path, "Content-Type: multipart/form-data; boundary=x", length)
    return await together(clients, lambda: upload(victim, head, _form(chunked)))


def _form(chunked: bool) -> Iterator[bytes]:
    for part in (FORM, *itertools.repeat(bytes(PART), BODY // PART - 1), bytes(PART - len(FORM))):
        yield b"%x\r\n%b\r\n" % (len(part), part) if chunked else part


async def slow_bodies(victim: Victim, path: str, clients: int, seconds: float) -> Answers:
    """Send a body of unknown length, one byte a second."""
    head = victim.request("POST", path, "Transfer-Encoding: chunked")
    body = itertools.repeat(b"1\r\nx\r\n")
    return await together(clients, lambda: upload(victim, head, body, pause=1.0, seconds=seconds))


async def scopes(victim: Victim, number: int, requests: int) -> Answers:
    """Ask for a token with many scopes, all in one URL."""
    wanted = "+".join(f"repository:b/{i}:pull" for i in range(number))
    request = victim.request("GET", "/auth?service={host}&scope=" + wanted)
    return await flood(victim, itertools.repeat(request, requests), connections=4)


async def long_header(victim: Victim, size: int, requests: int) -> Answers:
    """Send a token of ``size`` bytes."""
    request = victim.request("GET", "/v2/", f"Authorization: Bearer {'a' * size}")
    return await flood(victim, itertools.repeat(request, requests), connections=4)


async def accept_headers(victim: Victim, distinct: int) -> Answers:
    """Ask for a cached manifest with ever different media types in a header of 7 kB."""
    path = "/v2/{repository}/manifests/{manifest}"
    padding = "a" * 7000
    requests = (victim.request("GET", path, TOKEN, f"Accept: {TYPES}, x/{i}{padding}") for i in range(distinct))
    return await flood(victim, requests, connections=16)


async def unknown_content(victim: Victim, kind: str, distinct: int, repeats: int) -> Answers:
    """Ask for content that does not exist, for each ``repeats`` times in a row; ``kind`` is a part of the path."""
    names = (_unknown_name(kind) for _ in range(distinct))
    paths = (f"/v2/{{repository}}/{kind}/{name}" for name in names for _ in range(repeats))
    return await flood(victim, (victim.request("GET", path, TOKEN, f"Accept: {TYPES}") for path in paths), 4)


def _unknown_name(kind: str) -> str:
    return f"sha256:{secrets.token_hex(32)}" if kind == "blobs" or secrets.randbelow(2) else secrets.token_hex(8)


async def repeated(victim: Victim, path: str, seconds: float, connections: int = 64) -> Answers:
    """Repeat a request without a token as fast as the mirror answers it."""
    ends = time.monotonic() + seconds
    requests = itertools.takewhile(lambda _: time.monotonic() < ends, itertools.repeat(victim.request("GET", path)))
    return await flood(victim, requests, connections)


async def slow_readers(victim: Victim, clients: int, bytes_per_second: int, seconds: float) -> Answers:
    """Request one layer from many clients, and read it slowly or, with 0, not at all."""
    request = victim.request("GET", "/v2/{repository}/blobs/{layer}", TOKEN)
    ends = time.monotonic() + seconds

    async def read() -> str:
        async with connected(victim, SMALL_BUFFER) as connection:
            await connection.send(request)
            status = await connection.status()
            while (left := ends - time.monotonic()) > 0 and status.isdigit():
                if bytes_per_second and not await connection.read(bytes_per_second, left):
                    break
                await asyncio.sleep(1.0)
            return status

    return await together(clients, read)


async def cut_downloads(victim: Victim, downloads: int, after: int) -> Answers:
    """Request a layer again and again, and hang up after ``after`` bytes."""
    request = victim.request("GET", "/v2/{repository}/blobs/{layer}", TOKEN)
    limit = asyncio.Semaphore(32)

    async def hang_up() -> str:
        async with limit, connected(victim) as connection:
            await connection.send(request)
            status = await connection.status()
            left = after
            while left > 0 and (piece := await connection.read(left)):
                left -= len(piece)
            return status

    return await together(downloads, hang_up)


async def slow_headers(victim: Victim, clients: int, seconds: float) -> Answers:
    """Send the head of a request one line a second, without ever completing it."""
    begin = victim.request("GET", "/v2/")[:-2]
    ends = time.monotonic() + seconds

    async def send() -> str:
        async with connected(victim) as connection:
            await connection.send(begin)
            answer = asyncio.create_task(connection.status(seconds))
            while not answer.done() and time.monotonic() < ends:
                await connection.send(b"X-Slow: 1\r\n")
                await asyncio.wait({answer}, timeout=1.0)
            return await answer if answer.done() else OPEN

    return await together(clients, send)


async def idle_connections(victim: Victim, clients: int, seconds: float) -> Answers:
    """Open connections and send nothing, or nothing after one request."""
    request = victim.request("GET", "/v2/")
    ends = time.monotonic() + seconds
    numbers = itertools.count()

    async def wait() -> str:
        async with connected(victim) as connection:
            status = await connection.exchange(request) if next(numbers) % 2 else OPEN
            await connection.read(1, max(0.0, ends - time.monotonic()))
            return CLOSED if status == OPEN and connection.is_closed else status

    return await together(clients, wait)
