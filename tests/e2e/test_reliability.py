"""Something that the mirror needs fails while clients pull: what is served, how fast, and what happens afterwards.

The figures go into the file that REGMIRROR_RELIABILITY names; docs/reliability.md is made from it.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml

from tests.e2e.deployed_mirror import Deployment, Object
from tests.e2e.docker_hub import fetched, published
from tests.e2e.harm import kill
from tests.e2e.outage import Measured, Outage, Scene, failed_checks
from tests.e2e.outages import OUTAGES, REGISTRY, wait_until
from tests.e2e.pulls import KINDS, NEW, SERVED, Puller, measure, seconds_until_served
from tests.e2e.restarted import NODE
from tests.e2e.s3_proxy import S3Door
from tests.lab import traces

pytestmark = pytest.mark.lab

LONG = bool(os.environ.get("REGMIRROR_LONG"))
RESTARTED = [sys.executable, "-m", "tests.e2e.restarted"]
KEPT, NEW_ONES = "library/kept", "library/new"


@pytest.fixture(scope="module")
def scenes(new_deployment: Callable[[], Deployment]) -> Iterator[Callable[[int], Scene]]:
    """A mirror as `regmirror init` makes it, and on demand another with so many pods of each component."""
    with ExitStack() as until_end:
        made: dict[int, Scene] = {}

        def scene(replicas: int) -> Scene:
            if replicas not in made:
                made[replicas] = until_end.enter_context(played(new_deployment(), replicas))
            return made[replicas]

        yield scene


@contextmanager
def played(mirror: Deployment, replicas: int) -> Iterator[Scene]:
    """A mirror that serves, and reaches its store through a door of its own."""
    if mirror.setting.lab is None:
        pytest.skip("outages are made in the lab only")
    lab = mirror.setting.lab
    with S3Door(lab["address"], lab["s3"]["endpoint"]).serving() as door:
        mirror.environment["S3_ENDPOINT"] = f"http://{lab['hosts']['s3']}:{door.port}"
        assert mirror.init().code == 0
        if replicas > 1:
            content = yaml.safe_load(mirror.file.read_text())
            content["auth"] |= {"replicas": replicas}
            content["registry"] |= {"replicas": replicas, "ttl": "0"}
            mirror.file.write_text(yaml.safe_dump(content))
        outcome = mirror.deploy()
        assert outcome.code == 0, outcome.words
        assert failed_checks(mirror) == []
        yield Scene(mirror, door)
        mirror.remove()


@pytest.fixture(scope="module")
def record() -> Iterator[Callable[[Object], None]]:
    """Takes down what was measured; at the end it is written where the environment says so."""
    found: list[Object] = []
    yield found.append
    target = os.environ.get("REGMIRROR_RELIABILITY")
    if target:
        Path(target).write_text(json.dumps(found, indent=2) + "\n")


@pytest.mark.parametrize("outage", [one for one in OUTAGES if LONG or one.quick], ids=lambda one: one.name)
def test_a_mirror_lives_through(
    scenes: Callable[[int], Scene], outage: Outage, record: Callable[[Object], None], tmp_path: Path
) -> None:
    measured = live_through(scenes(outage.replicas), outage, tmp_path)
    record(measured.document())
    assert {kind: measured.figures[kind].answers for kind in outage.served if not measured.figures[kind].served} == {}
    seconds = {kind: measured.figures[kind].document()["median"] for kind in outage.served}
    assert {kind: median for kind, median in seconds.items() if median > outage.within} == {}
    assert outage.told_by <= set(measured.failed_checks)
    assert measured.lost == 0


def test_a_download_goes_on_where_a_killed_pod_broke_it(scenes: Callable[[int], Scene], tmp_path: Path) -> None:
    scene = scenes(1)
    size = 100_000_000
    download = Puller(scene.mirror).download(published("library/large", tmp_path, size))
    download.read_until_broken(1_000_000, lambda: kill(scene.mirror, REGISTRY))
    assert len(download.received) < size
    wait_until(download.goes_on)
    assert download.is_sound


@pytest.mark.skipif(not LONG, reason="it takes a lab of its own")
def test_a_node_is_restarted(tmp_path: Path, record: Callable[[Object], None]) -> None:
    """Cluster, bucket and images are kept; everything else is gone, as by a power cut and a reboot."""
    name = f"labtest-{os.getpid()}"
    try:
        in_lab(name, "run", "--up", "--keep", "--", *RESTARTED, "before", str(tmp_path))
        in_lab(name, "down", "--keep-data")
        in_lab(name, "up")
        found = json.loads(in_lab(name, "run", "--", *RESTARTED, "after", str(tmp_path)))
    finally:
        traces.lab(name, "down")
    record(found)
    assert set(found["failedChecks"]) <= NODE.told_by
    assert found["lost"] == 0
    answers = {kind: set(figures["answers"]) for kind, figures in found["requests"].items()}
    assert answers == {kind: {SERVED} for kind in KINDS}


def in_lab(name: str, *words: str) -> str:
    """Standard output of a command of the lab ``name``; the test fails where it does."""
    done = traces.lab(name, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def live_through(scene: Scene, outage: Outage, directory: Path) -> Measured:
    """Break it, ask, verify, end it, wait until all is served, and look whether anything was lost."""
    puller = Puller(scene.mirror)
    image, new = puller.remember(published(KEPT, directory)), published(NEW_ONES, directory)
    puller.renew(NEW_ONES)
    undo = outage.begin(scene)
    try:
        figures = measure(puller.asks(image), {NEW: lambda: puller.pull(new)})
        began = time.monotonic()
        failed = failed_checks(scene.mirror)
        verify_seconds = time.monotonic() - began
    finally:
        undo()
    recovery = seconds_until_served(puller.asks(image) | {NEW: lambda: puller.pull(new)}, outage.recovers_within)
    before = fetched(scene.mirror.setting, image.repository)
    assert {kind: ask() for kind, ask in puller.asks(image).items()} == dict.fromkeys(puller.asks(image), SERVED)
    lost = fetched(scene.mirror.setting, image.repository) - before
    return Measured(outage, figures, failed, verify_seconds, recovery, lost)
