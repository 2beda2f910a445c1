"""With rules for some clients, a cached layer is served only under the names of repositories that have it."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.fetcher.setting import MEGABYTE, Setting, content, digest_of, layer_path, pieces, running, status

LAYER = os.urandom(MEGABYTE)
DIGEST = digest_of(LAYER)
PRIVATE, OPEN = layer_path(LAYER, "acme/private"), layer_path(LAYER, "library/demo")
COMPLETE = f"/complete/{DIGEST}"


async def cached(setting: Setting) -> None:
    """A client that may pull the private repository has brought the layer into the cache."""
    setting.registry.answers[PRIVATE] = content(LAYER)
    assert (await setting.ask(PRIVATE)).body == LAYER
    await setting.until_complete(DIGEST)


def test_a_cached_layer_is_refused_in_a_repository_that_does_not_have_it(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path, is_separate=True) as setting:
            await cached(setting)
            setting.registry.answers[OPEN] = status(404, b"BLOB_UNKNOWN")
            for method in ("GET", "HEAD"):
                refused = await setting.ask(OPEN, method)
                assert refused.status == 404
                assert "x-accel-redirect" not in refused.headers
            assert (await setting.ask(PRIVATE)).headers["x-accel-redirect"] == COMPLETE

    asyncio.run(run())


def test_a_layer_on_its_way_is_refused_in_a_repository_that_does_not_have_it(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path, is_separate=True) as setting:
            rest = asyncio.Event()
            setting.registry.answers[PRIVATE] = pieces(len(LAYER), [LAYER[:1000], rest, LAYER[1000:]])
            setting.registry.answers[OPEN] = status(404, b"BLOB_UNKNOWN")
            async with setting.open(PRIVATE) as (_, reader):
                await reader.readexactly(1000)
                refused = await setting.ask(OPEN)
                assert (refused.status, refused.body) == (404, b"BLOB_UNKNOWN")
                rest.set()

    asyncio.run(run())


def test_a_shared_base_costs_one_head_at_the_upstream(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path, is_separate=True) as setting:
            await cached(setting)
            setting.upstream.answers[OPEN] = status(200)
            answers = await asyncio.gather(*(setting.ask(OPEN) for _ in range(20)))
            assert {answered.headers["x-accel-redirect"] for answered in answers} == {COMPLETE}
            assert [(head.words[0], path) for path, head in setting.upstream.asked] == [("HEAD", OPEN)]
            assert setting.registry.count(OPEN) == 0

    asyncio.run(run())


def test_what_the_registry_has_for_the_repository_is_served_while_the_upstream_is_down(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path, is_separate=True) as setting:
            await cached(setting)
            setting.is_up.close()
            setting.registry.answers[OPEN] = content(LAYER)
            assert (await setting.ask(OPEN)).headers["x-accel-redirect"] == COMPLETE

    asyncio.run(run())


def test_what_nobody_can_confirm_is_refused_with_the_reason(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path, is_separate=True) as setting:
            await cached(setting)
            setting.is_up.close()
            setting.registry.answers[OPEN] = status(500, b"unknown error")
            refused = await setting.ask(OPEN)
            assert refused.status == 502
            assert b"the upstream must confirm that this repository has the layer" in refused.body
            # Not remembered: it is served as soon as the registry knows.
            setting.registry.answers[OPEN] = content(LAYER)
            assert (await setting.ask(OPEN)).headers["x-accel-redirect"] == COMPLETE

    asyncio.run(run())


@pytest.mark.parametrize("code", [204, 302, 401, 403, 404, 429, 500])
def test_only_a_200_of_the_upstream_confirms(tmp_path: Path, code: int) -> None:
    async def run() -> None:
        async with running(tmp_path, is_separate=True) as setting:
            await cached(setting)
            setting.upstream.answers[OPEN] = status(code, location="https://127.0.0.1:1/x")
            assert (await setting.ask(OPEN)).status == 404
            assert setting.registry.count(OPEN) == 1

    asyncio.run(run())


def test_without_rules_a_layer_is_served_in_every_repository(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as setting:
            await cached(setting)
            assert (await setting.ask(OPEN)).headers["x-accel-redirect"] == COMPLETE
            assert not setting.upstream.asked

    asyncio.run(run())
