"""One rotation at a time: a Lease that the running rotation renews; and the clock of a rotation."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from regmirror.desired import names
from regmirror.errors import ClusterError, ConflictError, RotationLockedError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import LEASE, Object

T = TypeVar("T")

LEASE_NAME = names.ROTATION_LEASE
DURATION = timedelta(seconds=15)
_RENEWAL = 5.0
_POLL = 0.5


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """The current time in UTC, and how to wait, in seconds. Tests replace both."""

    now: Callable[[], datetime] = _now
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Lease:
    """The Lease of one mirror and one holder.

    If its holder does not renew it for its whole duration, measured with our own clock, it is taken over: the clocks of
    two machines are never compared. Source: client-go ``tools/leaderelection``.
    """

    def __init__(self, cluster: AsyncCluster, holder: str, clock: Clock, renewal: float = _RENEWAL) -> None:
        self._cluster = cluster
        self._holder = holder
        self._clock = clock
        self._renewal = renewal

    async def hold(self, work: Callable[[], Awaitable[T]], waiting: Callable[[str], None]) -> T:
        """Do the work while holding the Lease; ``waiting`` receives the reason while it is not yet held.

        Raises RotationLockedError if another rotation runs or has taken over; the work is cancelled in that case.
        """
        await self._acquire(waiting)
        worker = asyncio.ensure_future(work())
        keeper = asyncio.ensure_future(self._keep())
        try:
            await asyncio.wait({worker, keeper}, return_when=asyncio.FIRST_COMPLETED)
            if not worker.done():
                keeper.result()
            return await worker
        finally:
            for task in (worker, keeper):
                task.cancel()
            await asyncio.gather(worker, keeper, return_exceptions=True)
            await self._release()

    async def _acquire(self, waiting: Callable[[str], None]) -> None:
        lease = await self._read()
        try:
            if lease is None:
                return await self._cluster.create(self._held({"metadata": {"name": LEASE_NAME}}))
            if lease["spec"].get("holderIdentity"):
                lease = await self._wait_for_end(lease, waiting)
            await self._cluster.replace(self._held(lease))
        except ConflictError:
            raise _locked("held by another process") from None

    async def _wait_for_end(self, lease: Object, waiting: Callable[[str], None]) -> Object:
        """The Lease once its duration has passed without a renewal; raises RotationLockedError if it is renewed."""
        holder, ends = lease["spec"]["holderIdentity"], self._clock.now() + DURATION
        while self._clock.now() < ends:
            left = (ends - self._clock.now()).total_seconds()
            waiting(f"checking whether {holder} is still running ({left:.0f}s)")
            await self._clock.sleep(_POLL)
            seen = await self._read()
            if seen is None or not seen["spec"].get("holderIdentity"):
                return seen or lease
            if seen["spec"] != lease["spec"]:
                raise _locked(seen["spec"]["holderIdentity"])
        return lease

    async def _keep(self) -> None:
        failing_since = None
        while True:
            await asyncio.sleep(self._renewal)
            try:
                lease = await self._read()
                if lease is None or lease["spec"].get("holderIdentity") != self._holder:
                    raise _locked("held by another process")
                await self._cluster.replace(self._held(lease))
                failing_since = None
            except ConflictError:
                raise _locked("held by another process") from None
            except ClusterError:
                # Tolerate an unreachable API server only for as long as nobody can have taken over.
                now = asyncio.get_running_loop().time()
                failing_since = failing_since or now
                if now - failing_since + 2 * self._renewal >= DURATION.total_seconds():
                    raise

    async def _release(self) -> None:
        with suppress(ClusterError):
            lease = await self._read()
            if lease and lease["spec"].get("holderIdentity") == self._holder:
                spec = {key: value for key, value in lease["spec"].items() if key != "holderIdentity"}
                await self._cluster.replace({**lease, "spec": spec})

    async def _read(self) -> Object | None:
        return await self._cluster.get(LEASE, LEASE_NAME)

    def _held(self, lease: dict[str, Any]) -> Object:
        spec = {
            "holderIdentity": self._holder,
            "leaseDurationSeconds": int(DURATION.total_seconds()),
            "renewTime": self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        return {**lease, "apiVersion": LEASE.api_version, "kind": LEASE.kind, "spec": spec}


def _locked(holder: str) -> RotationLockedError:
    return RotationLockedError(
        f"another rotation of this mirror is running: {holder}",
        hint="wait for it to end; the lock of a killed rotation expires after 15 seconds",
    )
