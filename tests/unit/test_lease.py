"""One change of a mirror at a time, even if the holder of the Lease is killed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from regmirror.desired import names
from regmirror.errors import ChangeInProgressError, ExitCode, InterruptedRunError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import LEASE
from regmirror.steps.clock import Clock
from regmirror.steps.lease import DURATION, Lease, this_process
from tests.fakes.cluster import FakeCluster
from tests.fakes.progress import RecordedProgress
from tests.fakes.time import FakeTime

T = TypeVar("T")


def held_by(cluster: FakeCluster) -> Any:
    found = cluster.get(LEASE, names.CHANGE_LEASE)
    return (found or {}).get("spec", {}).get("holderIdentity")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


def leave_behind(cluster: FakeCluster, holder: str) -> None:
    """The Lease of a process that was killed."""
    put(cluster, {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": "2026-11-23T12:00:00.000000Z"})


def put(cluster: FakeCluster, spec: dict[str, Any]) -> None:
    cluster.put(
        {"apiVersion": LEASE.api_version, "kind": "Lease", "metadata": {"name": names.CHANGE_LEASE}, "spec": spec}
    )


def test_it_is_held_during_the_work_and_released_afterwards(cluster: FakeCluster) -> None:
    async def work() -> str:
        return str(held_by(cluster))

    for holder in ("first", "second"):
        assert run(Lease(AsyncCluster(cluster), holder, Clock()).hold(work, RecordedProgress())) == holder
        assert held_by(cluster) is None


def test_it_is_released_after_a_failure(cluster: FakeCluster) -> None:
    async def work() -> None:
        raise ValueError

    with pytest.raises(ValueError):
        run(Lease(AsyncCluster(cluster), "first", Clock()).hold(work, RecordedProgress()))
    assert held_by(cluster) is None


def test_the_lease_of_a_killed_process_is_taken_over_after_its_duration(cluster: FakeCluster) -> None:
    leave_behind(cluster, "dead")
    time = FakeTime()
    began, progress = time.now, RecordedProgress()

    async def work() -> timedelta:
        return time.now - began

    waited = run(Lease(AsyncCluster(cluster), "second", time.clock()).hold(work, progress))
    assert DURATION <= waited < DURATION + timedelta(seconds=1)
    assert progress.events[:2] == ["started Lease", "waiting Lease: checking whether it still runs (15s): dead"]
    assert progress.events[-1] == "finished Lease: no longer held by dead"


def test_a_lease_that_is_released_while_another_process_waits_is_acquired_immediately(cluster: FakeCluster) -> None:
    leave_behind(cluster, "first")
    time = FakeTime()
    sleep = time.sleep

    async def freed(seconds: float) -> None:
        found = cluster.get(LEASE, names.CHANGE_LEASE)
        assert found is not None
        cluster.put({**found, "spec": {}})
        await sleep(seconds)

    time.sleep = freed  # type: ignore[method-assign]

    async def work() -> str:
        return str(held_by(cluster))

    assert run(Lease(AsyncCluster(cluster), "second", time.clock()).hold(work, RecordedProgress())) == "second"


def test_only_one_of_two_simultaneous_commands_runs(cluster: FakeCluster) -> None:
    worked: list[str] = []

    async def both() -> list[Any]:
        async def work() -> None:
            worked.append(str(held_by(cluster)))
            await asyncio.sleep(0.3)

        leases = [Lease(AsyncCluster(cluster), holder, Clock(), renewal=0.05) for holder in ("first", "second")]
        return await asyncio.gather(*(lease.hold(work, RecordedProgress()) for lease in leases), return_exceptions=True)

    outcomes = run(both())
    assert len(worked) == 1
    assert [type(outcome) for outcome in outcomes if outcome] == [ChangeInProgressError]


def test_it_is_renewed_during_long_work(cluster: FakeCluster) -> None:
    async def work() -> None:
        first = cluster.get(LEASE, names.CHANGE_LEASE)
        while cluster.get(LEASE, names.CHANGE_LEASE) == first:
            await asyncio.sleep(0.01)

    run(
        asyncio.wait_for(
            Lease(AsyncCluster(cluster), "first", Clock(), renewal=0.01).hold(work, RecordedProgress()), 300
        )
    )


def test_the_work_is_cancelled_if_another_process_takes_over(cluster: FakeCluster) -> None:
    ended = False

    async def work() -> None:
        nonlocal ended
        leave_behind(cluster, "another")
        try:
            await asyncio.Event().wait()
        finally:
            ended = True

    with pytest.raises(ChangeInProgressError):
        run(
            asyncio.wait_for(
                Lease(AsyncCluster(cluster), "first", Clock(), renewal=0.01).hold(work, RecordedProgress()), 300
            )
        )
    assert ended
    assert held_by(cluster) == "another"


def test_a_refusal_names_the_holder_and_since_when(cluster: FakeCluster) -> None:
    leave_behind(cluster, "regmirror deploy by alice@laptop")
    time = FakeTime()

    async def renewed(_: float) -> None:
        spec = {"holderIdentity": "regmirror deploy by alice@laptop", "acquireTime": "2026-11-23T12:00:00.123456Z"}
        put(cluster, spec)

    async def work() -> None:
        pytest.fail("the work began")

    progress = RecordedProgress()
    clock = Clock(lambda: time.now, renewed)
    with pytest.raises(ChangeInProgressError) as caught:
        run(Lease(AsyncCluster(cluster), "second", clock).hold(work, progress))
    assert caught.value.message == (
        "another command is changing this mirror: regmirror deploy by alice@laptop, since 2026-11-23 12:00:00 UTC"
    )
    assert caught.value.hint is not None
    assert "kubectl --context fake -n regmirror get lease regmirror-change" in caught.value.hint
    assert progress.events[-1] == f"failed Lease: {caught.value.message}"


def test_a_lease_records_the_command_and_since_when_it_is_held(cluster: FakeCluster) -> None:
    time = FakeTime()

    async def work() -> Any:
        return (cluster.get(LEASE, names.CHANGE_LEASE) or {})["spec"]

    spec = run(Lease(AsyncCluster(cluster), this_process("deploy"), time.clock()).hold(work, RecordedProgress()))
    assert spec["holderIdentity"].startswith("regmirror deploy by ")
    assert spec["acquireTime"] == time.now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_an_interruption_releases_it_and_reports_how_far_the_work_has_come(cluster: FakeCluster) -> None:
    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise InterruptedRunError("interrupted\n  changed: Secrets") from None

    async def interrupted() -> None:
        task = asyncio.ensure_future(Lease(AsyncCluster(cluster), "first", Clock()).hold(work, RecordedProgress()))
        while not held_by(cluster):
            await asyncio.sleep(0)
        # The work starts once the Lease is held.
        await asyncio.sleep(0.05)
        task.cancel()
        await task

    with pytest.raises(InterruptedRunError, match="changed: Secrets"):
        run(interrupted())
    assert held_by(cluster) is None


def test_a_lost_lease_reports_how_far_the_work_has_come(cluster: FakeCluster) -> None:
    async def work() -> None:
        leave_behind(cluster, "another")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise InterruptedRunError("interrupted\n  changed: Secrets") from None

    lease = Lease(AsyncCluster(cluster), "first", Clock(), renewal=0.01)
    with pytest.raises(ChangeInProgressError, match="this mirror: another\n  changed: Secrets") as lost:
        run(asyncio.wait_for(lease.hold(work, RecordedProgress()), 300))
    assert (lost.value.exit_code, lost.value.left_changes) == (ExitCode.PARTIAL, True)


def test_a_lease_that_the_work_deletes_is_neither_renewed_nor_released(cluster: FakeCluster) -> None:
    lease = Lease(AsyncCluster(cluster), "first", Clock(), renewal=0.01)

    async def work() -> None:
        await lease.delete()
        await asyncio.sleep(0.05)

    run(lease.hold(work, RecordedProgress()))
    assert cluster.get(LEASE, names.CHANGE_LEASE) is None


def test_only_one_of_two_commands_creates_the_lease_of_a_new_namespace(cluster: FakeCluster) -> None:
    run(Lease(AsyncCluster(cluster), "first", Clock()).create())
    with pytest.raises(ChangeInProgressError, match="another command is changing this mirror: first, since "):
        run(Lease(AsyncCluster(cluster), "second", Clock()).create())
