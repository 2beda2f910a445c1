"""A dependency of the mirror fails while clients pull: what is served, how fast, and what happens afterwards.

The figures are written to the file in REGMIRROR_RELIABILITY, from which the documentation is generated.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from regmirror.desired.names import FRONT_CONTAINER
from tests.e2e.deployed_mirror import DeployedMirror, Object
from tests.e2e.docker_hub import fetched, published
from tests.e2e.inject import kill
from tests.e2e.long_runs import LONG, only_in_long_runs
from tests.e2e.outage import Measured, Outage, OutageEnvironment, failed_checks, outage_environment
from tests.e2e.outages import OUTAGES, REGISTRY
from tests.e2e.pulls import KINDS, NEW, SERVED, Puller, measure, seconds_until_served
from tests.e2e.recorded import recorded
from tests.e2e.restarted import NODE
from tests.e2e.waiting import on_this_machine, wait_until
from tests.lab import traces

pytestmark = pytest.mark.lab

RESTARTED = [sys.executable, "-m", "tests.e2e.restarted"]
KEPT, NEW_ONES = "library/kept", "library/new"


@pytest.fixture(scope="module")
def environments(new_mirror: Callable[[], DeployedMirror]) -> Iterator[Callable[[int], OutageEnvironment]]:
    """A function that returns a mirror with this number of replicas; created when it is first needed."""
    with ExitStack() as stack:
        made: dict[int, OutageEnvironment] = {}

        def env(replicas: int) -> OutageEnvironment:
            if replicas not in made:
                made[replicas] = stack.enter_context(outage_environment(new_mirror(), _replicas(replicas)))
            return made[replicas]

        yield env


def _replicas(number: int) -> dict[str, Any]:
    """The sections of a file for more than one pod of the registry and of docker_auth."""
    several = {"auth": {"replicas": number}, "registry": {"replicas": number, "ttl": "0"}}
    return several if number > 1 else {}


@pytest.fixture(scope="module")
def record() -> Iterator[Callable[[Object], None]]:
    with recorded("REGMIRROR_RELIABILITY") as add:
        yield add


@pytest.mark.parametrize("outage", [one for one in OUTAGES if LONG or one.quick], ids=lambda one: one.name)
def test_a_mirror_survives(
    environments: Callable[[int], OutageEnvironment], outage: Outage, record: Callable[[Object], None], tmp_path: Path
) -> None:
    measured = run_outage(environments(outage.replicas), outage, tmp_path)
    record(measured.document())
    assert {kind: measured.figures[kind].answers for kind in outage.served if not measured.figures[kind].served} == {}
    seconds = {kind: measured.figures[kind].document()["median"] for kind in outage.served}
    assert {kind: median for kind, median in seconds.items() if median > on_this_machine(outage.within)} == {}
    assert outage.reported_by <= set(measured.failed_checks)
    assert measured.lost == 0


def test_a_download_resumes_after_the_front_was_killed(
    environments: Callable[[int], OutageEnvironment], tmp_path: Path
) -> None:
    env = environments(1)
    size = 100_000_000
    download = Puller(env.mirror).download(published("library/large", tmp_path, size))
    download.read_until_broken(1_000_000, lambda: kill(env.mirror, REGISTRY, FRONT_CONTAINER))
    assert len(download.received) < size
    wait_until(download.resume)
    assert download.is_intact


def test_a_download_of_a_cached_layer_survives_the_death_of_the_registry(
    environments: Callable[[int], OutageEnvironment], tmp_path: Path
) -> None:
    env = environments(1)
    image = published("library/larger", tmp_path, 100_000_000)
    Puller(env.mirror).download(image).read_until_broken(200_000_000, lambda: None)
    download = Puller(env.mirror).download(image)
    download.read_until_broken(1_000_000, lambda: kill(env.mirror, REGISTRY))
    assert download.is_intact


@only_in_long_runs
def test_a_node_is_restarted(tmp_path: Path, record: Callable[[Object], None]) -> None:
    """Only the cluster, the bucket and the images are kept, as after a power failure and a reboot."""
    name = f"labtest-{os.getpid()}"
    try:
        in_lab(name, "run", "--up", "--keep", "--", *RESTARTED, "before", str(tmp_path))
        in_lab(name, "down", "--keep-data")
        in_lab(name, "up")
        found = json.loads(in_lab(name, "run", "--", *RESTARTED, "after", str(tmp_path)))
    finally:
        traces.lab(name, "down")
    record(found)
    assert set(found["failedChecks"]) <= NODE.reported_by
    assert found["lost"] == 0
    answers = {kind: set(figures["answers"]) for kind, figures in found["requests"].items()}
    assert answers == {kind: {SERVED} for kind in KINDS}


def in_lab(name: str, *words: str) -> str:
    """Standard output of a command of the lab ``name``; the test fails if the command fails."""
    done = traces.lab(name, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_outage(env: OutageEnvironment, outage: Outage, directory: Path) -> Measured:
    """Begin the outage, measure requests and verify, end it, wait for recovery, and count what was lost."""
    puller = Puller(env.mirror)
    image, new = puller.remember(published(KEPT, directory)), published(NEW_ONES, directory)
    puller.renew(NEW_ONES)
    undo = outage.begin(env)
    try:
        figures = measure(puller.asks(image), {NEW: lambda: puller.pull(new)})
        began = time.monotonic()
        failed = failed_checks(env.mirror)
        verify_seconds = time.monotonic() - began
    finally:
        undo()
    recovery = seconds_until_served(puller.asks(image) | {NEW: lambda: puller.pull(new)}, outage.recovers_within)
    before = fetched(env.mirror.target, image.repository)
    assert {kind: ask() for kind, ask in puller.asks(image).items()} == dict.fromkeys(puller.asks(image), SERVED)
    lost = fetched(env.mirror.target, image.repository) - before
    return Measured(outage, figures, failed, verify_seconds, recovery, lost)
