"""One layer on its way from the registry to the volume, and the clients that read along."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from fetcher.messages import Answer

_ANNOUNCED = 1024 * 1024
"""Bytes after which the waiting clients are woken: to wake a hundred for each packet would cost more than to send."""
_DELAY = 0.1
"""Seconds after which they are woken for less."""


class BrokenDownloadError(Exception):
    """The layer could not be completed, or is not what its digest says."""


@dataclass(slots=True)
class Download:
    """The state of a download. Nobody gets the last byte before the digest has been verified."""

    path: str
    """What the registry was asked for; a refusal is valid for this path alone."""
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the registry has responded, or the download has failed before."""
    refusal: Answer | None = None
    """The registry's answer if it is not the layer."""
    is_passed_by: bool = False
    """Whether the layer does not fit, and the registry must serve it itself."""
    size: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    received: int = 0
    is_complete: bool = False
    has_failed: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _announced: int = 0
    _timer: asyncio.TimerHandle | None = None

    def begin(self, size: int, headers: Mapping[str, str]) -> None:
        """The layer follows."""
        self.size, self.headers = size, headers
        self.begun.set()

    def grow(self, size: int) -> None:
        """So many more bytes are on the volume."""
        self.received += size
        if self.received - self._announced >= _ANNOUNCED:
            self._announce()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_DELAY, self._announce)

    def complete(self) -> None:
        """The digest is right."""
        self.is_complete = True
        self._announce()

    def fail(self) -> None:
        """No more bytes follow."""
        self.has_failed = True
        self.begun.set()
        self._announce()

    async def beyond(self, position: int) -> int:
        """The end of what may be sent, once that is more than ``position``; raises BrokenDownloadError."""
        while self._available <= position:
            if self.has_failed:
                raise BrokenDownloadError
            await self._news.wait()
        return self._available

    @property
    def _available(self) -> int:
        return self.size if self.is_complete else min(self.received, self.size - 1)

    def _announce(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer, self._announced = None, self.received
        self._news.set()
        self._news = asyncio.Event()
