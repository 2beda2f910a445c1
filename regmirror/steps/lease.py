"""One change of a mirror at a time: a Lease that the command that changes it holds and renews."""

import asyncio
import getpass
import os
import secrets
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

from regmirror.desired import names
from regmirror.errors import (
    ChangeInProgressError,
    ClusterError,
    ConflictError,
    InterruptedRunError,
    RegmirrorError,
)
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import LEASE, Object
from regmirror.steps.clock import Clock
from regmirror.steps.step import Progress

T = TypeVar("T")

DURATION = timedelta(seconds=15)
_RENEWAL = 5.0
_POLL = 0.5
_TITLE = "Lease"
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


def this_process(command: str) -> str:
    """The holder of a Lease, for people: the command, who runs it and where."""
    try:
        user = getpass.getuser()
    except (ImportError, KeyError, OSError):
        user = "unknown"  # the user id of a container may have no name
    return f"regmirror {command} by {user}@{socket.gethostname()} (process {os.getpid()}, {secrets.token_hex(4)})"


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
        self._since = ""
        """When it was acquired; empty while it is not held."""

    async def hold(self, work: Callable[[], Coroutine[Any, Any, T]], progress: Progress, *, acquire: bool = True) -> T:
        """Do the work while holding the Lease, and release it afterwards, however the work ends.

        Without ``acquire``, the work calls ``create``. ``progress`` is notified only if another command holds it.
        Raises ChangeInProgressError if another command holds it or has taken over; the work is cancelled then.
        """
        if acquire:
            await self._acquire(progress)
        worker, keeper = asyncio.ensure_future(work()), asyncio.ensure_future(self._keep())
        try:
            await asyncio.wait({worker, keeper}, return_when=asyncio.FIRST_COMPLETED)
            if not worker.done():
                raise await _cancelled(worker, keeper)
        except asyncio.CancelledError:
            # The work reports itself how far it has come.
            worker.cancel()
        finally:
            keeper.cancel()
            await asyncio.gather(worker, keeper, return_exceptions=True)
            await self._release()
        return await worker

    async def create(self) -> None:
        """Acquire the Lease in a namespace that has none; does nothing if it is held already.

        Raises ChangeInProgressError if the namespace has one: another command created the namespace.
        """
        if not self._since:
            metadata = {"name": names.CHANGE_LEASE, "labels": names.labels("lease")}
            await self._take(self._cluster.create, {"metadata": metadata})

    async def ensure_held(self) -> None:
        """Raises ChangeInProgressError if the Lease was lost during the work, as far as that is known now."""
        if _holder(lease := await self._read()) != self._holder:
            raise self._in_progress(lease).after_changes()

    async def delete(self) -> None:
        """Delete the Lease, at the end of the work that removes the mirror."""
        self._since = ""
        await self._cluster.delete(LEASE, names.CHANGE_LEASE)

    async def _acquire(self, progress: Progress) -> None:
        lease = await self._read()
        if lease and _holder(lease):
            lease = await self._wait_for_end(lease, progress)
        if lease is None:
            await self.create()
        else:
            await self._take(self._cluster.replace, lease)

    async def _take(self, write: Callable[[Object], Coroutine[Any, Any, None]], lease: dict[str, Any]) -> None:
        since = self._clock.now().strftime(_TIME)
        try:
            await write(self._held(lease, since))
        except ConflictError:
            raise self._in_progress(await self._read()) from None
        self._since = since

    async def _wait_for_end(self, lease: Object, progress: Progress) -> Object | None:
        """The Lease once its duration has passed without a renewal, or it was released."""
        progress.started(_TITLE)
        try:
            ended = await self._watch(lease, lambda reason: progress.waiting(_TITLE, reason))
        except RegmirrorError as error:
            progress.failed(_TITLE, error)
            raise
        progress.finished(_TITLE, f"no longer held by {_holder(lease)}")
        return ended

    async def _watch(self, lease: Object, waiting: Callable[[str], None]) -> Object | None:
        """As ``_wait_for_end``; raises ChangeInProgressError if it is renewed."""
        ends = self._clock.now() + DURATION
        while self._clock.now() < ends:
            left = (ends - self._clock.now()).total_seconds()
            waiting(f"checking whether it still runs ({left:.0f}s): {_holder(lease)}")
            await self._clock.sleep(_POLL)
            seen = await self._read()
            if not _holder(seen):
                return seen
            if _spec(seen) != _spec(lease):
                raise self._in_progress(seen)
        return lease

    async def _keep(self) -> None:
        failing_since = None
        while True:
            await asyncio.sleep(self._renewal)
            try:
                await self._renew()
                failing_since = None
            except ConflictError:
                raise self._in_progress(await self._read()) from None
            except ClusterError:
                # Tolerate an unreachable API server only for as long as nobody can have taken over.
                now = asyncio.get_running_loop().time()
                failing_since = failing_since or now
                if now - failing_since + 2 * self._renewal >= DURATION.total_seconds():
                    raise

    async def _renew(self) -> None:
        if not self._since:
            return
        lease = await self._read()
        if lease and _holder(lease) == self._holder:
            await self._cluster.replace(self._held(lease, self._since))
        elif self._since:
            raise self._in_progress(lease)

    async def _release(self) -> None:
        with suppress(ClusterError):
            try:
                await self._clear()
            except ConflictError:
                # A renewal was still on its way.
                await self._clear()

    async def _clear(self) -> None:
        lease = await self._read() if self._since else None
        if lease and _holder(lease) == self._holder:
            await self._cluster.replace({**lease, "spec": {}})

    async def _read(self) -> Object | None:
        return await self._cluster.get(LEASE, names.CHANGE_LEASE)

    def _held(self, lease: dict[str, Any], since: str) -> Object:
        spec = {
            "holderIdentity": self._holder,
            "leaseDurationSeconds": int(DURATION.total_seconds()),
            "acquireTime": since,
            "renewTime": self._clock.now().strftime(_TIME),
        }
        return {**lease, "apiVersion": LEASE.api_version, "kind": LEASE.kind, "spec": spec}

    def _in_progress(self, lease: Object | None) -> ChangeInProgressError:
        """The error that names the holder of the Lease."""
        spec = _spec(lease)
        holder = spec.get("holderIdentity") or f"it has taken or deleted the Lease {names.CHANGE_LEASE}"
        since = f", since {spec['acquireTime'][:19].replace('T', ' ')} UTC" if spec.get("acquireTime") else ""
        kubectl = f"kubectl --context {self._cluster.context} -n {self._cluster.namespace}"
        return ChangeInProgressError(
            f"another command is changing this mirror: {holder}{since}",
            hint=f"wait until it has ended, then run the command again; see: {kubectl} get lease {names.CHANGE_LEASE}",
        )


def _spec(lease: Object | None) -> dict[str, Any]:
    return (lease or {}).get("spec") or {}


def _holder(lease: Object | None) -> str:
    """Who holds a Lease; empty if nobody does."""
    return str(_spec(lease).get("holderIdentity") or "")


async def _cancelled(worker: "asyncio.Future[T]", keeper: "asyncio.Future[None]") -> BaseException:
    """Cancel the work, because the Lease is lost; returns that error, with how far the work has come."""
    worker.cancel()
    (ended,) = await asyncio.gather(worker, return_exceptions=True)
    lost = keeper.exception()
    if isinstance(lost, RegmirrorError) and isinstance(ended, InterruptedRunError):
        return lost.reworded("\n".join([lost.message, *ended.message.splitlines()[1:]])).after_changes()
    return lost or asyncio.CancelledError()
