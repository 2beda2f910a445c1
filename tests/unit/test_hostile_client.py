"""The attacker of the end-to-end tests counts what a server answers, also one that is rude itself."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import pytest

from tests.e2e.attacks import ATTACKS
from tests.e2e.hostile_client import CLOSED, OPEN, Answers, Victim, flood, together, upload
from tests.e2e.hostile_moves import slow_headers, slow_readers

VICTIM = Victim("m.test", "127.0.0.1", 0, None, "127.0.0.66", "library/demo", "token", "sha256:m", "sha256:l")
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
NO_CONTENT = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}"


@asynccontextmanager
async def served_by(handler: Handler) -> AsyncIterator[Victim]:
    """A server for the duration of the block; it closes each connection when the handler returns."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield replace(VICTIM, port=server.sockets[0].getsockname()[1])


def attack(handler: Handler, move: Callable[[Victim], Awaitable[Answers]]) -> Answers:
    async def run() -> Answers:
        async with served_by(handler) as victim:
            return await move(victim)

    return asyncio.run(run())


def answering(*answers: bytes) -> Handler:
    """One answer for each request of a connection."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)

    return handle


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        (
            [NO_CONTENT, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"],
            {"404": 2, "200": 2},
        ),
        ([b"HTTP/1.1 414 URI Too Long\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"], {"414": 4}),
        ([b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 9\r\n\r\n{}"], {"429": 4}),
        ([b""], {CLOSED: 4}),
        ([b"SSH-2.0\r\n"], {CLOSED: 4}),
    ],
    ids=["complete answers", "closes after each", "broken off", "nothing", "not HTTP"],
)
def test_a_flood_counts_every_answer(answers: list[bytes], found: dict[str, int]) -> None:
    requests = [VICTIM.request("GET", "/v2/{repository}/manifests/1")] * 4
    assert attack(answering(*answers), lambda victim: flood(victim, requests, connections=2)) == found


def test_an_upload_ends_with_an_early_answer() -> None:
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield bytes(1000)

    head = VICTIM.request("POST", "/auth?service={host}")
    act = answering(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
    assert attack(act, lambda victim: together(3, lambda: upload(victim, head, body()))) == {"413": 3}
    assert sent > 0


def test_an_upload_without_an_answer_is_open() -> None:
    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    head = VICTIM.request("POST", "/auth")
    found = attack(silent, lambda victim: together(2, lambda: upload(victim, head, [], seconds=0.1, patience=0.1)))
    assert found == {OPEN: 2}


def test_slow_clients_stay_until_the_end() -> None:
    body = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + bytes(50_000)

    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(body)
        await reader.read()

    for rate in (0, 1000):
        assert attack(half, partial(slow_readers, clients=3, bytes_per_second=rate, seconds=0.1)) == {"200": 3}


def test_a_head_that_never_ends_is_open_or_closed() -> None:
    async def patient(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async def strict(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readline()

    assert attack(patient, lambda victim: slow_headers(victim, 3, 0.1)) == {OPEN: 3}
    assert attack(strict, lambda victim: slow_headers(victim, 3, 10.0)) == {CLOSED: 3}


def test_every_attack_has_its_own_name_and_can_run_in_another_process() -> None:
    assert len({one.name for one in ATTACKS}) == len(ATTACKS)
    assert all(pickle.loads(pickle.dumps(one.move)).func is one.move.func for one in ATTACKS)  # type: ignore[attr-defined]  # noqa: S301
