"""Work that is done once for all who need its result at the same moment."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

V = TypeVar("V")


@dataclass(slots=True)
class Flights(Generic[V]):
    """Work in progress, by key. It goes on if those who wait for it give up."""

    _running: dict[str, "asyncio.Future[V]"] = field(default_factory=dict)

    async def join(self, key: str, work: Callable[[], Awaitable[V]]) -> V:
        """The result of the work in progress, which begins if there is none."""
        if key not in self._running:
            self._running[key] = asyncio.ensure_future(work())
            self._running[key].add_done_callback(lambda _: self._running.pop(key))
        return await asyncio.shield(self._running[key])
