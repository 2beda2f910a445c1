"""A layer is downloaded once, whoever asks for it and however, and kept if it is what its digest says."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.fetcher.setting import MEGABYTE, content, digest_of, layer_path, pieces, running, status

LAYER = os.urandom(3 * MEGABYTE)
DIGEST = digest_of(LAYER)
PATH = layer_path(LAYER)


def test_a_herd_reads_along_one_download(tmp_path: Path) -> None:
    """Everybody gets the first bytes before the registry has sent the last, and nobody the last byte before the end."""

    async def run() -> None:
        async with running(tmp_path) as setting:
            rest = asyncio.Event()
            setting.registry.answers[PATH] = pieces(len(LAYER), [LAYER[:MEGABYTE], rest, LAYER[MEGABYTE:]])
            first_bytes = [asyncio.Event() for _ in range(50)]

            async def client(has_begun: asyncio.Event) -> bytes:
                async with setting.open(PATH) as (head, reader):
                    assert head.words[1] == "200"
                    body = await reader.readexactly(MEGABYTE // 2)
                    has_begun.set()
                    return body + await reader.read(-1)

            clients = [asyncio.create_task(client(event)) for event in first_bytes]
            await asyncio.gather(*(event.wait() for event in first_bytes))
            rest.set()
            assert all(body == LAYER for body in await asyncio.gather(*clients))
            assert setting.registry.count(PATH) == 1

    asyncio.run(run())


def test_a_complete_layer_is_served_by_the_front(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as setting:
            setting.registry.answers[PATH] = content(LAYER)
            await setting.ask(PATH)
            answered = await setting.ask(layer_path(LAYER, "another/repository"))
            assert answered.headers["x-accel-redirect"] == f"/complete/{DIGEST}"
            assert (tmp_path / "complete" / DIGEST).read_bytes() == LAYER
            assert len(setting.registry.asked) == 1

    asyncio.run(run())


def test_wrong_bytes_are_not_kept_and_never_complete(tmp_path: Path) -> None:
    """A client gets fewer bytes than announced, and the next one the right layer."""

    async def run() -> None:
        async with running(tmp_path) as setting:
            setting.registry.answers[PATH] = content(LAYER[:-2] + b"!" + LAYER[-1:])
            wrong = await asyncio.gather(*(setting.ask(PATH) for _ in range(5)))
            assert not any(answered.is_whole for answered in wrong)
            assert not setting.volume.has(DIGEST)
            assert setting.volume.used == 0
            setting.registry.answers[PATH] = content(LAYER)
            assert (await setting.ask(PATH)).body == LAYER

    asyncio.run(run())


@pytest.mark.parametrize("announced", [len(LAYER) + 1, len(LAYER) - 1])
def test_a_layer_of_another_size_than_announced_is_cut_off(tmp_path: Path, announced: int) -> None:
    async def run() -> None:
        async with running(tmp_path) as setting:
            setting.registry.answers[PATH] = content(LAYER, size=announced)
            assert not (await setting.ask(PATH)).is_whole
            assert setting.volume.used == 0

    asyncio.run(run())


def test_a_client_that_hangs_up_does_not_stop_the_download(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as setting:
            rest = asyncio.Event()
            setting.registry.answers[PATH] = pieces(len(LAYER), [LAYER[:MEGABYTE], rest, LAYER[MEGABYTE:]])
            async with setting.open(PATH) as (_, reader):
                await reader.readexactly(1000)
            rest.set()
            await setting.until_complete(DIGEST)
            assert setting.registry.count(PATH) == 1

    asyncio.run(run())


def test_a_client_that_does_not_read_delays_nobody(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as setting:
            setting.registry.answers[PATH] = content(LAYER)
            async with setting.open(PATH):
                assert (await setting.ask(PATH)).body == LAYER
            assert setting.registry.count(PATH) == 1

    asyncio.run(run())


@pytest.mark.parametrize(
    ("requested", "start", "end"),
    [
        ("bytes=0-99", 0, 100),
        ("bytes=1000000-1999999", 1_000_000, 2_000_000),
        ("bytes=3000000-", 3_000_000, len(LAYER)),
        ("bytes=-500", len(LAYER) - 500, len(LAYER)),
    ],
)
def test_a_part_of_a_layer_on_its_way_is_answered_as_a_part(
    tmp_path: Path, requested: str, start: int, end: int
) -> None:
    async def run() -> None:
        async with running(tmp_path) as setting:
            setting.registry.answers[PATH] = content(LAYER)
            whole, part = await asyncio.gather(setting.ask(PATH), setting.ask(PATH, range=requested))
            assert (part.status, part.body) == (206, LAYER[start:end])
            assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{len(LAYER)}"
            assert whole.body == LAYER
            assert setting.registry.count(PATH) == 1

    asyncio.run(run())


def test_a_part_beyond_the_end_is_refused(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as setting:
            setting.registry.answers[PATH] = content(LAYER)
            answered = await setting.ask(PATH, range=f"bytes={len(LAYER)}-")
            assert (answered.status, answered.headers["content-range"]) == (416, f"bytes */{len(LAYER)}")

    asyncio.run(run())


def test_head_has_the_size_before_the_layer_has_arrived(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as setting:
            rest = asyncio.Event()
            setting.registry.answers[PATH] = pieces(len(LAYER), [LAYER[:1000], rest, LAYER[1000:]])
            answered = await setting.ask(PATH, "HEAD")
            assert (answered.status, answered.body) == (200, b"")
            assert answered.headers["content-length"] == str(len(LAYER))
            rest.set()

    asyncio.run(run())


def test_a_refusal_is_for_the_repository_that_was_asked(tmp_path: Path) -> None:
    """A repository without the layer must not keep another one's clients from it."""

    async def run() -> None:
        async with running(tmp_path) as setting:
            elsewhere = layer_path(LAYER, "library/elsewhere")
            may_answer = asyncio.Event()

            async def refuse_later(writer: asyncio.StreamWriter) -> None:
                await may_answer.wait()
                await status(404, b"{}")(writer)

            setting.registry.answers |= {elsewhere: refuse_later, PATH: content(LAYER)}
            refused = [asyncio.create_task(setting.ask(elsewhere)) for _ in range(3)]
            while not setting.registry.asked:
                await asyncio.sleep(0.01)
            served = asyncio.create_task(setting.ask(PATH))
            await asyncio.sleep(0)
            may_answer.set()
            assert (await served).body == LAYER
            assert [answered.status for answered in await asyncio.gather(*refused)] == [404] * 3
            assert setting.registry.count(elsewhere) == 1

    asyncio.run(run())


def test_a_layer_that_does_not_exist_is_asked_for_once_in_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fetcher.layers._ABSENT", 0.2)

    async def run() -> None:
        async with running(tmp_path) as setting:
            for _ in range(5):
                assert (await setting.ask(PATH)).status == 404
            assert setting.registry.count(PATH) == 1
            setting.registry.answers[PATH] = content(LAYER)
            async with asyncio.timeout(10):
                while (await setting.ask(PATH)).status == 404:
                    await asyncio.sleep(0.05)

    asyncio.run(run())


def test_a_server_error_is_not_kept(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as setting:
            setting.registry.answers[PATH] = status(503)
            assert (await setting.ask(PATH)).status == 503
            setting.registry.answers[PATH] = content(LAYER)
            assert (await setting.ask(PATH)).body == LAYER

    asyncio.run(run())


def test_another_clients_expired_token_does_not_refuse_a_client(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as setting:
            may_answer = asyncio.Event()

            async def by_token(writer: asyncio.StreamWriter) -> None:
                await may_answer.wait()
                is_valid = setting.registry.asked[-1][1].headers["authorization"] == "Bearer valid"
                await (content(LAYER) if is_valid else status(401))(writer)

            setting.registry.answers[PATH] = by_token
            expired = asyncio.create_task(setting.ask(PATH, authorization="Bearer expired"))
            while not setting.registry.asked:
                await asyncio.sleep(0.01)
            valid = asyncio.create_task(setting.ask(PATH, authorization="Bearer valid"))
            await asyncio.sleep(0.05)
            may_answer.set()
            assert (await expired).status == 401
            assert (await valid).body == LAYER

    asyncio.run(run())


def test_a_registry_that_falls_silent_is_given_up(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path, silence=0.1) as setting:
            setting.registry.answers[PATH] = pieces(len(LAYER), [LAYER[:1000], asyncio.Event()])
            assert not (await setting.ask(PATH)).is_whole
            assert setting.volume.used == 0

    asyncio.run(run())


def test_an_unreachable_registry_is_an_error_of_the_specification(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as setting:
            setting.registry.answers[PATH] = pieces(0, [])

            async def hang_up(writer: asyncio.StreamWriter) -> None:
                writer.transport.abort()

            setting.registry.answers[PATH] = hang_up
            answered = await setting.ask(PATH)
            assert answered.status == 502
            assert b'"UNAVAILABLE"' in answered.body

    asyncio.run(run())
