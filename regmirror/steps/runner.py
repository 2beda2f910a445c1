"""Runs steps in parallel as far as their needs allow, and sums up what did not end well."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from regmirror.errors import DeadlineError, ExitCode, InterruptedRunError, PartlyAppliedError, RegmirrorError
from regmirror.steps.step import Done, Progress, Step
from regmirror.workloads.remedies import suggest_remedy

_AGAIN = "run the command again: it goes on from here"


async def run_steps(
    steps: Sequence[Step], progress: Progress, deadline: float | None = None, *, work: str = "deployment"
) -> list[Done]:
    """Run every step whose needs are met, as many at a time as possible; gives the results in the order of ``steps``.

    A step comes after those it needs. A failed step stops only the steps that need it. What is not done by
    ``deadline`` (monotonic clock) has failed. Raises what ``failed`` makes of failures, and of
    being cancelled; ``work`` is what it calls all steps together.
    """
    attempts = [StepRun(step, progress) for step in steps]
    tasks: dict[str, asyncio.Task[bool]] = {}
    try:
        async with asyncio.TaskGroup() as group:
            for attempt in attempts:
                needs = [tasks[need] for need in attempt.step.needs]
                tasks[attempt.step.name] = group.create_task(attempt.run(needs, deadline))
    except asyncio.CancelledError:
        raise interrupted(attempts) from None
    if any(isinstance(attempt.outcome, RegmirrorError) for attempt in attempts):
        raise failed(attempts, work)
    return [attempt.outcome for attempt in attempts if isinstance(attempt.outcome, Done)]


@dataclass(slots=True)
class StepRun:
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
            hint = f"{suggest_remedy(self.waits_for) or 'mend it'}, or give it more time by --timeout"
            late = DeadlineError(f"{self.step.title}: not done in time{what}", hint=hint)
            late.left_changes = True
            raise late from None


def failed(attempts: Sequence[StepRun], work: str) -> RegmirrorError:
    """All errors as one: the first tells the kind and the cure, and the summary has all of them as its causes.

    ``work`` is what all steps together do. Where something was changed it is a PartlyAppliedError, unless the first is
    a timeout, which stays one.
    """
    errors = [attempt.outcome for attempt in attempts if isinstance(attempt.outcome, RegmirrorError)]
    first = errors[0]
    lines_of_others = [_also(error, first.hint) for error in errors[1:]]
    others = [line for line in dict.fromkeys(lines_of_others) if line != _also(first, first.hint)]
    if not _changed(attempts) and not any(error.left_changes for error in errors):
        first.message = "\n".join([first.message, *others])
        return first
    lines = [*others, *_where(attempts)]
    summary: RegmirrorError
    if first.exit_code is ExitCode.TIMED_OUT:
        summary = DeadlineError("\n".join([first.message, *lines]), hint=f"{first.hint}; then {_AGAIN}")
    else:
        message = f"the {work} is incomplete: {first.code}: {first.message}"
        summary = PartlyAppliedError("\n".join([message, *lines]), hint=f"{first.hint or 'mend it'}; then {_AGAIN}")
    summary.causes, summary.left_changes = tuple(errors), True
    return summary


def interrupted(attempts: Sequence[StepRun]) -> InterruptedRunError:
    """What to tell whoever has interrupted the steps."""
    running = [
        attempt.step.title + (f" ({attempt.waits_for.splitlines()[0]})" if attempt.waits_for else "")
        for attempt in attempts
        if attempt.begun and attempt.outcome is None
    ]
    lines = [f"  in the middle of: {', '.join(running)}"] if running else []
    return InterruptedRunError("\n".join(["interrupted", *lines, *_where(attempts)]), hint=_AGAIN)


def _where(attempts: Sequence[StepRun]) -> list[str]:
    """How far all steps together have come."""
    parts = {
        "changed": _changed(attempts),
        "not begun": [attempt.step.title for attempt in attempts if not attempt.begun],
    }
    return [f"  {what}: {', '.join(which)}" for what, which in parts.items() if which]


def _changed(attempts: Sequence[StepRun]) -> list[str]:
    return [
        f"{attempt.step.title} ({attempt.outcome.detail})"
        for attempt in attempts
        if isinstance(attempt.outcome, Done) and attempt.outcome.changed
    ]


def _also(error: RegmirrorError, told: str | None) -> str:
    """A further error, with its hint where that is not the one that is ``told`` at the end anyway."""
    hint = f"\n  Try: {error.hint}" if error.hint and error.hint != told else ""
    return f"also {error.code}: {error.message}{hint}"
