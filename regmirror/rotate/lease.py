"""One rotation at a time: a Lease that the one at work keeps renewing."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

from regmirror.desired import names
from regmirror.errors import ClusterError, ConflictError, RotationLockedError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import LEASE, Object
from regmirror.rotate.clock import Clock

T = TypeVar("T")

LEASE_NAME = names.ROTATION_LEASE
DURATION = timedelta(seconds=15)
_RENEWAL = 5.0
_POLL = 0.5


class Lease:
    """The Lease of one mirror and one holder.

    A Lease that its holder does not renew for its whole duration, by our own clock, is taken over: clocks of two
    machines are never compared. Source: client-go ``tools/leaderelection``.
    """

    def __init__(self, cluster: AsyncCluster, holder: str, clock: Clock, renewal: float = _RENEWAL) -> None:
        self._cluster = cluster
        self._holder = holder
        self._clock = clock
        self._renewal = renewal

    async def hold(self, work: Callable[[], Awaitable[T]], waiting: Callable[[str], None]) -> T:
        """Do the work while holding the Lease; ``waiting`` hears why it is not yet held.

        Raises RotationLockedError where another is at work, or has taken over; the work is cancelled then.
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
        found = await self._read()
        try:
            if found is None:
                return await self._cluster.create(self._held({"metadata": {"name": LEASE_NAME}}))
            if found["spec"].get("holderIdentity"):
                found = await self._wait_for_end(found, waiting)
            await self._cluster.replace(self._held(found))
        except ConflictError:
            raise _locked("another one") from None

    async def _wait_for_end(self, found: Object, waiting: Callable[[str], None]) -> Object:
        """The Lease once its duration has passed without a sign of life; raises RotationLockedError on one."""
        holder, ends = found["spec"]["holderIdentity"], self._clock.now() + DURATION
        while self._clock.now() < ends:
            left = (ends - self._clock.now()).total_seconds()
            waiting(f"looking whether {holder} is still at work, for {left:.0f}s")
            await self._clock.sleep(_POLL)
            seen = await self._read()
            if seen is None or not seen["spec"].get("holderIdentity"):
                return seen or found
            if seen["spec"] != found["spec"]:
                raise _locked(seen["spec"]["holderIdentity"])
        return found

    async def _keep(self) -> None:
        failing_since = None
        while True:
            await asyncio.sleep(self._renewal)
            try:
                found = await self._read()
                if found is None or found["spec"].get("holderIdentity") != self._holder:
                    raise _locked("another one")
                await self._cluster.replace(self._held(found))
                failing_since = None
            except ConflictError:
                raise _locked("another one") from None
            except ClusterError:
                # The API server may be away for a moment; only for as long as nobody can have taken over.
                now = asyncio.get_running_loop().time()
                failing_since = failing_since or now
                if now - failing_since + 2 * self._renewal >= DURATION.total_seconds():
                    raise

    async def _release(self) -> None:
        with suppress(ClusterError):
            found = await self._read()
            if found and found["spec"].get("holderIdentity") == self._holder:
                spec = {key: value for key, value in found["spec"].items() if key != "holderIdentity"}
                await self._cluster.replace({**found, "spec": spec})

    async def _read(self) -> Object | None:
        return await self._cluster.get(LEASE, LEASE_NAME)

    def _held(self, found: dict[str, Any]) -> Object:
        spec = {
            "holderIdentity": self._holder,
            "leaseDurationSeconds": int(DURATION.total_seconds()),
            "renewTime": self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        return {**found, "apiVersion": LEASE.api_version, "kind": LEASE.kind, "spec": spec}


def _locked(holder: str) -> RotationLockedError:
    return RotationLockedError(
        f"another rotation of this mirror is at work: {holder}",
        hint="let it end; one that was killed frees the way after 15 seconds",
    )
