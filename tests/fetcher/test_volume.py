"""The volume keeps what was used last, and never more than its size."""

import asyncio
import errno
import os
import socket
from pathlib import Path

import pytest
from fetcher.integrity import check_always, check_left
from fetcher.uses import Uses
from fetcher.volume import Volume

from tests.fetcher.setting import MEGABYTE, content, digest_of, layer_path, running

LAYERS = [os.urandom(MEGABYTE) for _ in range(6)]


def on_disk(directory: Path) -> int:
    return sum(
        file.stat().st_blocks * 512 for state in ("partial", "complete") for file in (directory / state).iterdir()
    )


def test_a_stream_of_layers_never_exceeds_the_size(tmp_path: Path) -> None:
    """Also not while they arrive, all at once: whoever finds no room is served by the registry."""

    async def run() -> None:
        async with running(tmp_path, size=2 * MEGABYTE) as setting:
            setting.registry.answers = {layer_path(layer): content(layer) for layer in LAYERS}
            answers = await asyncio.gather(*(setting.ask(layer_path(layer)) for layer in LAYERS))
            assert on_disk(tmp_path) <= 2 * MEGABYTE
            passed = [answered for answered in answers if answered.headers.get("x-accel-redirect") == "@registry"]
            served = [answered for answered in answers if answered.is_whole and answered.body]
            assert len(passed) + len(served) == len(LAYERS)
            assert len(served) >= 2

    asyncio.run(run())


def test_the_layer_that_was_used_last_stays(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path, size=2 * MEGABYTE) as setting:
            setting.registry.answers = {layer_path(layer): content(layer) for layer in LAYERS}
            old, new, newest = LAYERS[:3]
            for layer in (old, new):
                await setting.ask(layer_path(layer))
            await report_use(setting.volume, tmp_path / "u", digest_of(old))
            await setting.ask(layer_path(newest))
            assert [setting.volume.has(digest_of(layer)) for layer in (old, new, newest)] == [True, False, True]

    asyncio.run(run())


async def report_use(volume: Volume, path: Path, digest: str) -> None:
    """What the front's access log sends for a layer that it serves."""
    received = asyncio.Event()

    class Reported(Uses):
        def datagram_received(self, data: bytes, addr: object) -> None:
            super().datagram_received(data, addr)
            received.set()

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: Reported(volume), local_addr=str(path), family=Uses.FAMILY
    )
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as front:
        front.sendto(f"<190>Nov 26 04:00:00 nginx: {digest}".encode(), str(path))
    await received.wait()
    transport.close()


def test_a_layer_larger_than_the_volume_is_left_to_the_registry(tmp_path: Path) -> None:
    """The registry is not asked for it in vain again and again."""

    async def run() -> None:
        async with running(tmp_path, size=MEGABYTE // 2) as setting:
            path = layer_path(LAYERS[0])
            setting.registry.answers[path] = content(LAYERS[0])
            for _ in range(3):
                assert (await setting.ask(path)).headers["x-accel-redirect"] == "@registry"
            assert setting.registry.count(path) == 1

    asyncio.run(run())


@pytest.mark.parametrize("place", ["create", "write"])
def test_a_full_disk_costs_one_download_and_not_the_next(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other files may fill the disk of the node, though the layers stay below their size."""

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    target = "fetcher.volume.Volume.create" if place == "create" else "fetcher.layers._write"
    monkeypatch.setattr(target, fail)

    async def run() -> None:
        async with running(tmp_path) as setting:
            path = layer_path(LAYERS[0])
            setting.registry.answers[path] = content(LAYERS[0])
            first = await setting.ask(path)
            assert not (first.is_whole and first.body)
            assert (await setting.ask(path)).headers["x-accel-redirect"] == "@registry"
            assert setting.volume.used == 0

    asyncio.run(run())


def test_an_evicted_layer_frees_its_room_though_a_client_still_reads_it(tmp_path: Path) -> None:
    volume = Volume(tmp_path, MEGABYTE)
    volume.open()
    keep(volume, LAYERS[0])
    with volume.open_layer(digest_of(LAYERS[0])) as reading:
        assert volume.reserve(MEGABYTE)
        assert os.fstat(reading.fileno()).st_blocks == 0


def test_a_reservation_is_refused_without_evicting_anything(tmp_path: Path) -> None:
    volume = Volume(tmp_path, 2 * MEGABYTE)
    volume.open()
    keep(volume, LAYERS[0])
    assert volume.reserve(MEGABYTE)
    assert not volume.reserve(2 * MEGABYTE)
    assert volume.has(digest_of(LAYERS[0]))


@pytest.mark.parametrize("is_intact", [True, False])
def test_what_an_earlier_process_left_is_checked_before_it_is_served(tmp_path: Path, is_intact: bool) -> None:
    before = Volume(tmp_path, 2 * MEGABYTE)
    before.open()
    keep(before, LAYERS[0])
    digest = digest_of(LAYERS[0])
    if not is_intact:
        damage(tmp_path / "complete" / digest)
    (tmp_path / "partial" / digest_of(LAYERS[1])).write_bytes(b"half")
    after = Volume(tmp_path, 2 * MEGABYTE)
    left = after.open()
    assert not after.has(digest)
    asyncio.run(check_left(after, left))
    assert after.has(digest) is is_intact
    assert after.used == (MEGABYTE if is_intact else 0)
    assert not [*(tmp_path / "partial").iterdir()]


def test_a_layer_that_changes_on_the_disk_is_evicted(tmp_path: Path) -> None:
    volume = Volume(tmp_path, 2 * MEGABYTE)
    volume.open()
    for layer in LAYERS[:2]:
        keep(volume, layer)
    damaged, intact = (digest_of(layer) for layer in LAYERS[:2])
    damage(tmp_path / "complete" / damaged)

    async def run() -> None:
        task = asyncio.create_task(check_always(volume, 100 * MEGABYTE))
        async with asyncio.timeout(10):
            while volume.has(damaged):
                await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(run())
    assert volume.has(intact)


def keep(volume: Volume, layer: bytes) -> None:
    digest = digest_of(layer)
    assert volume.reserve(len(layer))
    with volume.create(digest) as file:
        file.write(layer)
    volume.admit(digest, len(layer))


def damage(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.write(b"damaged")
