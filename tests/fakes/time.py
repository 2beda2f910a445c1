"""A clock in memory."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from regmirror.steps.clock import Clock
from tests import samples


@dataclass
class FakeTime:
    """A clock that advances when the code sleeps."""

    now: datetime = samples.NOW

    async def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.sleep)
