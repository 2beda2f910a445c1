"""The layer cache: each layer is downloaded once, clients read along, and nothing wrong is kept."""

import statistics
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.docker_hub import copy_image, published
from tests.e2e.inject import faulty_hub
from tests.e2e.layer import Layer, cached_files, client_of, offered, token_for
from tests.e2e.long_runs import LONG, only_in_long_runs
from tests.e2e.pod_resources import watched
from tests.e2e.pulls import SERVED, Puller, measure, seconds_until_served
from tests.e2e.s3_proxy import HANGING, S3Proxy
from tests.e2e.waiting import on_this_machine, wait_until

pytestmark = pytest.mark.lab

CACHE = 100 * 2**20
"""The size of the cache, in bytes."""
MEGABYTE = 1_000_000
LAYER = 8 * MEGABYTE
LARGE = 60 * MEGABYTE
"""More than all buffers between a pod and a client together."""
HERD = 20
PARTIAL = 206
OUTAGE_WAIT = 10.0
"""The most that a client waits for a request while the object store hangs: it is asked about a tag first."""
OUTAGE_SECONDS = 60.0 if LONG else 12.0
"""In a long run, longer than any probe takes to fail for good: the pod must stay in its Service."""


@pytest.fixture(scope="module")
def s3(new_mirror: Callable[[], DeployedMirror]) -> Iterator[tuple[DeployedMirror, S3Proxy]]:
    """A mirror with a small layer cache, and its own way to the object store."""
    mirror = new_mirror()
    lab = mirror.target.lab
    if lab is None:
        pytest.skip("the upstream and the pods' volumes can only be reached in the lab")
    with S3Proxy(lab["address"], lab["s3"]["endpoint"]).serving() as proxy:
        mirror.environment["S3_ENDPOINT"] = f"http://{lab['hosts']['s3']}:{proxy.port}"
        assert mirror.init().code == 0
        mirror.change_file(registry={"layerCache": {"size": str(CACHE)}})
        outcome = mirror.deploy()
        assert outcome.code == 0, outcome.stderr
        mirror.await_healthy()
        yield mirror, proxy


@pytest.fixture
def mirror(s3: tuple[DeployedMirror, S3Proxy]) -> DeployedMirror:
    return s3[0]


def upstream(mirror: DeployedMirror, **fault: int | str) -> AbstractContextManager[None]:
    """The upstream has a fault when it sends layers."""
    return faulty_hub(mirror, registry={**fault, "only": "blobs"})


def slow_upstream(mirror: DeployedMirror, seconds: float, size: int = LAYER) -> AbstractContextManager[None]:
    """The upstream takes so long to send a layer."""
    return upstream(mirror, mode="slow", bytes_per_second=int(size / seconds))


def test_a_herd_causes_one_download(mirror: DeployedMirror, tmp_path: Path) -> None:
    layer = offered(mirror, tmp_path, LAYER)
    with slow_upstream(mirror, seconds=6.0), ThreadPoolExecutor(HERD) as clients:
        received = list(clients.map(lambda _: layer.pull(), range(HERD)))
    assert all(layer.is_intact(found) for found in received)
    assert layer.downloads == 1
    whole = max(found.seconds for found in received)
    assert statistics.median(found.first_byte for found in received) < whole / 3


def test_each_of_several_replicas_downloads_at_most_once(
    new_mirror: Callable[[], DeployedMirror], tmp_path: Path
) -> None:
    several = new_mirror()
    several.change_file(registry={"replicas": 3, "ttl": "0"})
    assert several.deploy().code == 0
    layer = offered(several, tmp_path, LAYER)
    with slow_upstream(several, seconds=6.0), ThreadPoolExecutor(HERD) as clients:
        received = list(clients.map(lambda _: layer.pull(), range(HERD)))
    assert all(layer.is_intact(found) for found in received)
    assert 1 < layer.downloads <= 3


def test_a_client_that_does_not_read_on_delays_nobody(mirror: DeployedMirror, tmp_path: Path) -> None:
    layer = offered(mirror, tmp_path, LARGE)
    with layer.opened() as answer:
        next(answer.chunks)
        with ThreadPoolExecutor(4) as clients:
            received = list(clients.map(lambda _: layer.pull(), range(4)))
        assert all(layer.is_intact(found) for found in received)
        assert layer.is_intact(layer.pull())
        assert layer.downloads == 1
        assert len(layer.files()) == 1


def test_a_client_that_hangs_up_does_not_stop_the_download(mirror: DeployedMirror, tmp_path: Path) -> None:
    layer = offered(mirror, tmp_path, LAYER)
    with slow_upstream(mirror, seconds=6.0), layer.opened() as answer:
        read = 0
        while read < 0.3 * layer.size:
            read += len(next(answer.chunks))
    wait_until(lambda: len(layer.files()) == 1)
    assert layer.is_intact(layer.pull())
    assert layer.downloads == 1


def test_parallel_ranges_of_an_uncached_layer(mirror: DeployedMirror, tmp_path: Path) -> None:
    layer = offered(mirror, tmp_path, LAYER)
    starts = range(0, layer.size, MEGABYTE)
    parts = [(start, min(start + MEGABYTE, layer.size) - 1) for start in starts]
    with slow_upstream(mirror, seconds=4.0), ThreadPoolExecutor(len(parts)) as clients:
        received = list(clients.map(lambda part: layer.pull(Range=f"bytes={part[0]}-{part[1]}"), parts))
    assert [found.status for found in received] == [PARTIAL] * len(parts)
    ranges = [f"bytes {first}-{last}/{layer.size}" for first, last in parts]
    assert [found.headers["content-range"] for found in received] == ranges
    assert layer.is_content(b"".join(found.body for found in received))
    assert layer.downloads == 1


@pytest.mark.parametrize("wanted", ["bytes=100-199", "bytes=-100", "bytes=0-"])
def test_a_range_of_a_cached_layer(mirror: DeployedMirror, tmp_path: Path, wanted: str) -> None:
    layer = offered(mirror, tmp_path, 100_000)
    whole = layer.pull().body
    found = layer.pull(Range=wanted)
    first, last = wanted.removeprefix("bytes=").split("-")
    right = whole[int(first) : int(last) + 1 if last else None] if first else whole[-int(last) :]
    assert (found.status, found.body) == (PARTIAL, right)


def test_a_range_beyond_the_end_is_refused(mirror: DeployedMirror, tmp_path: Path) -> None:
    layer = offered(mirror, tmp_path, 100_000)
    for _ in ("uncached", "cached"):
        assert layer.pull(Range=f"bytes={layer.size}-").status == 416
        assert layer.is_intact(layer.pull())


def test_head_of_an_uncached_layer_does_not_wait_for_it(mirror: DeployedMirror, tmp_path: Path) -> None:
    layer = offered(mirror, tmp_path, LAYER)
    with slow_upstream(mirror, seconds=10.0):
        seconds = seconds_until_served({"HEAD": lambda: head(layer)}, limit=5.0)
    assert seconds < on_this_machine(5.0)
    assert layer.is_intact(layer.pull())
    assert layer.downloads == 1
    assert head(layer) == SERVED


def head(layer: Layer) -> str:
    """How a HEAD of a layer is answered."""
    answer = client_of(layer.mirror).request("HEAD", layer.path, layer.token)
    assert answer.body == b""
    size = int(answer.headers.get("content-length", "-1"))
    return SERVED if (answer.status, size) == (200, layer.size) else f"{answer.status}, {size} bytes"


def test_a_layer_that_does_not_exist_is_refused(mirror: DeployedMirror, tmp_path: Path) -> None:
    known = offered(mirror, tmp_path, 100_000)
    missing = Layer(mirror, known.repository, f"sha256:{'0' * 64}", 1, known.token)
    found = missing.pull()
    assert (found.status, b"BLOB_UNKNOWN" in found.body) == (404, True)


@pytest.mark.parametrize("state", ["hangs", "refuses connections"])
def test_a_warm_image_is_served_while_the_store(s3: tuple[DeployedMirror, S3Proxy], tmp_path: Path, state: str) -> None:
    mirror, proxy = s3
    puller = Puller(mirror)
    image = puller.remember(published("library/warm", tmp_path))
    asks = puller.asks(image)
    assert {kind: ask() for kind, ask in asks.items()} == dict.fromkeys(asks, SERVED)
    proxy.fail_with(HANGING) if state == "hangs" else proxy.stop()
    try:
        figures = measure(asks, {}, OUTAGE_SECONDS)
    finally:
        proxy.recover() if state == "hangs" else proxy.start()
        seconds_until_served(asks, limit=30.0)
    assert {kind: found.answers for kind, found in figures.items() if not found.served} == {}
    slowest = {kind: max(found.seconds) for kind, found in figures.items()}
    assert {kind: longest for kind, longest in slowest.items() if longest > on_this_machine(OUTAGE_WAIT)} == {}


def test_more_layers_than_the_cache_holds(mirror: DeployedMirror, tmp_path: Path) -> None:
    """Three times its size: the oldest layers are removed, one in use is kept, and the pod is not evicted."""
    hot = offered(mirror, tmp_path, LAYER)
    assert hot.is_intact(hot.pull())
    with watched(mirror) as resources:
        for _ in range(3 * CACHE // (20 * MEGABYTE) + 1):
            layer = offered(mirror, tmp_path, 20 * MEGABYTE)
            assert layer.is_intact(layer.pull())
            assert hot.is_intact(hot.pull())
    assert resources.problems() == []
    assert len(hot.files()) == len(layer.files()) == 1
    layers = [file for file in cached_files(mirror) if file.stat().st_size > MEGABYTE]
    assert sum(file.stat().st_size for file in layers) <= CACHE
    assert hot.downloads == 1


def test_a_layer_that_is_larger_than_the_cache(mirror: DeployedMirror, tmp_path: Path) -> None:
    with watched(mirror) as resources:
        layer = offered(mirror, tmp_path, CACHE + 20 * MEGABYTE)
        with ThreadPoolExecutor(2) as clients:
            assert all(layer.is_intact(found) for found in clients.map(lambda _: layer.pull(), range(2)))
    assert resources.problems() == []
    assert layer.files() == []


def test_layers_together_larger_than_the_cache_at_once(mirror: DeployedMirror, tmp_path: Path) -> None:
    layers = [offered(mirror, tmp_path, 40 * MEGABYTE) for _ in range(6)]
    with watched(mirror) as resources, ThreadPoolExecutor(len(layers)) as clients:
        received = list(clients.map(lambda layer: layer.pull(), layers))
    assert all(layer.is_intact(found) for layer, found in zip(layers, received, strict=True))
    assert resources.problems() == []


def test_wrong_bytes_of_the_upstream_are_not_kept(mirror: DeployedMirror, tmp_path: Path) -> None:
    layer = offered(mirror, tmp_path, LAYER)
    with upstream(mirror, mode="corrupt"):
        assert not layer.can_be_taken_for_complete(layer.pull())
    assert layer.is_intact(layer.pull())
    assert len(layer.files()) == 1


@only_in_long_runs
def test_a_damaged_file_is_noticed_and_replaced(mirror: DeployedMirror, tmp_path: Path) -> None:
    layer = offered(mirror, tmp_path, LAYER)
    assert layer.is_intact(layer.pull())
    (file,) = layer.files()
    with file.open("r+b") as opened:
        opened.seek(layer.size // 2)
        byte = opened.read(1)
        opened.seek(layer.size // 2)
        opened.write(bytes([byte[0] ^ 0xFF]))
    wait_until(lambda: layer.is_intact(layer.pull()))
    assert layer.downloads == 1


def test_images_that_share_a_base_download_it_once(mirror: DeployedMirror, tmp_path: Path) -> None:
    base = offered(mirror, tmp_path, LAYER)
    repositories = [f"{base.repository}-{number}" for number in range(20)]
    for repository in repositories:
        copy_image(base.repository, repository)
    images = [base.in_repository(repository) for repository in repositories]
    with ThreadPoolExecutor(4) as clients:
        received = list(clients.map(lambda layer: layer.pull(), images))
    assert all(base.is_intact(found) for found in received)
    assert sum(layer.downloads for layer in images) == 1


def test_a_cached_layer_requires_a_token_for_its_repository(mirror: DeployedMirror, tmp_path: Path) -> None:
    layer, client = offered(mirror, tmp_path, 100_000), client_of(mirror)
    other = token_for(mirror, "library/demo")
    for _ in ("uncached", "cached"):
        for wrong in (None, other, "no token"):
            for method in ("GET", "HEAD"):
                answer = client.request(method, layer.path, wrong)
                assert answer.status == 401
                assert answer.headers["www-authenticate"].count("Bearer realm=") == 1
        assert layer.is_intact(layer.pull())


def test_a_layer_on_its_way_requires_a_token(mirror: DeployedMirror, tmp_path: Path) -> None:
    layer = offered(mirror, tmp_path, LAYER)
    with slow_upstream(mirror, seconds=6.0), layer.opened() as answer:
        next(answer.chunks)
        assert client_of(mirror).request("GET", layer.path, token_for(mirror, "library/demo")).status == 401
