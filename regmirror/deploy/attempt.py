"""One attempt at a step: within its time, and remembered for whoever sums up."""

import asyncio
import time
from dataclasses import dataclass

from regmirror.deploy.steps import Done, Progress, Step
from regmirror.errors import DeadlineError, RegmirrorError
from regmirror.workloads.way_on import way_on


@dataclass(slots=True)
class Attempt:
    """How far one step has come, and what it waits for."""

    step: Step
    progress: Progress
    begun: bool = False
    waits_for: str = ""
    outcome: Done | RegmirrorError | None = None
    """None while it runs, and where it was not tried."""

    def waiting(self, title: str, reason: str) -> None:
        """The step waits for something."""
        self.waits_for = reason
        self.progress.waiting(title, reason)

    async def run(self, needs: list[asyncio.Task[bool]], deadline: float | None) -> bool:
        """Apply the step once all that it needs has ended well; gives whether it ended well itself."""
        title = self.step.title
        if not all([await need for need in needs]):
            self.progress.skipped(title, "what it needs has failed")
            return False
        self.begun = True
        self.progress.started(title)
        try:
            self.outcome = await self._in_time(deadline)
        except RegmirrorError as error:
            self.outcome = error
            self.progress.failed(title, error)
            return False
        self.progress.finished(title, self.outcome)
        return True

    async def _in_time(self, deadline: float | None) -> Done:
        try:
            async with asyncio.timeout(None if deadline is None else deadline - time.monotonic()):
                return await self.step.apply(self)
        except TimeoutError:
            what = f"; waited for {self.waits_for}" if self.waits_for else ""
            hint = f"{way_on(self.waits_for) or 'mend it'}, or give it more time by --timeout"
            late = DeadlineError(f"{self.step.title}: not done in time{what}", hint=hint)
            late.left_changes = True
            raise late from None
