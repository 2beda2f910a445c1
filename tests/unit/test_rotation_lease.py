"""One rotation at a time, even if the holder of the Lease is killed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from regmirror.errors import RotationLockedError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import LEASE
from regmirror.rotate.lease import DURATION, LEASE_NAME, Clock, Lease
from tests.fakes.cluster import FakeCluster
from tests.unit.rotating import FakeTime, run


def held_by(cluster: FakeCluster) -> Any:
    found = cluster.get(LEASE, LEASE_NAME)
    return (found or {}).get("spec", {}).get("holderIdentity")


def ignore(_: str) -> None:
    """Discard the reason for waiting."""


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


def leave_behind(cluster: FakeCluster, holder: str) -> None:
    """The Lease of a process that was killed."""
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": "2026-11-23T12:00:00.000000Z"}
    cluster.put({"apiVersion": LEASE.api_version, "kind": "Lease", "metadata": {"name": LEASE_NAME}, "spec": spec})


def test_it_is_held_during_the_work_and_released_afterwards(cluster: FakeCluster) -> None:
    async def work() -> str:
        return str(held_by(cluster))

    for holder in ("first", "second"):
        assert run(Lease(AsyncCluster(cluster), holder, Clock()).hold(work, ignore)) == holder
        assert held_by(cluster) is None


def test_it_is_released_after_a_failure(cluster: FakeCluster) -> None:
    async def work() -> None:
        raise ValueError

    with pytest.raises(ValueError):
        run(Lease(AsyncCluster(cluster), "first", Clock()).hold(work, ignore))
    assert held_by(cluster) is None


def test_the_lease_of_a_killed_process_is_taken_over_after_its_duration(cluster: FakeCluster) -> None:
    leave_behind(cluster, "dead")
    time = FakeTime()
    began, reasons = time.now, list[str]()

    async def work() -> timedelta:
        return time.now - began

    waited = run(Lease(AsyncCluster(cluster), "second", time.clock()).hold(work, reasons.append))
    assert DURATION <= waited < DURATION + timedelta(seconds=1)
    assert reasons[0] == "checking whether dead is still running (15s)"


def test_a_lease_that_is_released_while_another_process_waits_is_acquired_immediately(cluster: FakeCluster) -> None:
    leave_behind(cluster, "first")
    time = FakeTime()
    sleep = time.sleep

    async def freed(seconds: float) -> None:
        found = cluster.get(LEASE, LEASE_NAME)
        assert found is not None
        cluster.put({**found, "spec": {}})
        await sleep(seconds)

    time.sleep = freed  # type: ignore[method-assign]

    async def work() -> str:
        return str(held_by(cluster))

    assert run(Lease(AsyncCluster(cluster), "second", time.clock()).hold(work, ignore)) == "second"


def test_only_one_of_two_simultaneous_rotations_runs(cluster: FakeCluster) -> None:
    worked: list[str] = []

    async def both() -> list[Any]:
        async def work() -> None:
            worked.append(str(held_by(cluster)))
            await asyncio.sleep(0.3)

        leases = [Lease(AsyncCluster(cluster), holder, Clock(), renewal=0.05) for holder in ("first", "second")]
        return await asyncio.gather(*(lease.hold(work, ignore) for lease in leases), return_exceptions=True)

    outcomes = run(both())
    assert len(worked) == 1
    assert [type(outcome) for outcome in outcomes if outcome] == [RotationLockedError]


def test_it_is_renewed_during_long_work(cluster: FakeCluster) -> None:
    async def work() -> None:
        first = cluster.get(LEASE, LEASE_NAME)
        while cluster.get(LEASE, LEASE_NAME) == first:
            await asyncio.sleep(0.01)

    run(asyncio.wait_for(Lease(AsyncCluster(cluster), "first", Clock(), renewal=0.01).hold(work, ignore), 300))


def test_the_work_is_cancelled_if_another_process_takes_over(cluster: FakeCluster) -> None:
    ended = False

    async def work() -> None:
        nonlocal ended
        leave_behind(cluster, "another")
        try:
            await asyncio.Event().wait()
        finally:
            ended = True

    with pytest.raises(RotationLockedError):
        run(asyncio.wait_for(Lease(AsyncCluster(cluster), "first", Clock(), renewal=0.01).hold(work, ignore), 300))
    assert ended
    assert held_by(cluster) == "another"
