"""Runs steps in parallel as far as their needs allow, and reports failures and interruptions as one error."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from regmirror.errors import DeadlineError, ExitCode, InterruptedRunError, PartlyAppliedError, RegmirrorError
from regmirror.errors.remedies import suggest_remedy
from regmirror.steps.step import Done, Progress, Step

_RERUN = "run the command again: it continues where it stopped"


async def run_steps(
    steps: Sequence[Step],
    progress: Progress,
    deadline: float | None = None,
    *,
    work: str = "deployment",
    in_order: bool = False,
) -> list[Done]:
    """Run all steps and return their results in the order of ``steps``.

    A step starts when all that it needs have succeeded; a failed step stops only those that need it. What is not done
    by ``deadline`` (monotonic clock) fails. ``in_order`` reports the ends of steps in the order of ``steps``, however
    they end. Raises what ``failed`` and ``interrupted`` make of failures and of a cancellation; ``work`` is what the
    messages call all steps together.
    """
    runs = [StepRun(step, progress) for step in steps]
    tasks: dict[str, asyncio.Task[bool]] = {}
    try:
        async with asyncio.TaskGroup() as group:
            for run, previous in zip(runs, [None, *runs], strict=False):
                run.reported_after = previous.reported if previous and in_order else None
                needs = [tasks[need] for need in run.step.needs]
                tasks[run.step.name] = group.create_task(run.run(needs, deadline))
    except asyncio.CancelledError:
        raise interrupted(runs) from None
    if any(isinstance(run.outcome, RegmirrorError) for run in runs):
        raise failed(runs, work)
    return [run.outcome for run in runs if isinstance(run.outcome, Done)]


@dataclass(slots=True)
class StepRun:
    """One run of one step: whether it has started, what it waits for, and how it ended."""

    step: Step
    progress: Progress
    started: bool = False
    waits_for: str = ""
    outcome: Done | RegmirrorError | None = None
    """None while it runs, and if it was not tried."""
    reported: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when ``progress`` was notified of the end."""
    reported_after: asyncio.Event | None = None

    @property
    def may_have_changed(self) -> bool:
        """Whether it failed and may have changed something: its end was not seen, or it stopped midway."""
        return isinstance(self.outcome, RegmirrorError) and self.outcome.left_changes

    def waiting(self, reason: str) -> None:
        """The step waits for something."""
        self.waits_for = reason
        self.progress.waiting(self.step.title, reason)

    async def run(self, needs: list[asyncio.Task[bool]], deadline: float | None) -> bool:
        """Run the step once all that it needs have succeeded; returns whether it succeeded itself."""
        if all([await need for need in needs]):
            self.started = True
            self.progress.started(self.step.title)
            try:
                self.outcome = await self._in_time(deadline)
            except RegmirrorError as error:
                self.outcome = error
        if self.reported_after:
            await self.reported_after.wait()
        self._report()
        self.reported.set()
        return isinstance(self.outcome, Done)

    def _report(self) -> None:
        match self.outcome:
            case None:
                self.progress.skipped(self.step.title, "skipped: an earlier step failed")
            case Done() as done:
                self.progress.finished(self.step.title, done.detail, changed=done.changed, skipped=done.skipped)
            case RegmirrorError():
                self.progress.failed(self.step.title, self.outcome)

    async def _in_time(self, deadline: float | None) -> Done:
        try:
            async with asyncio.timeout(None if deadline is None else deadline - time.monotonic()):
                return await self.step.apply(self)
        except TimeoutError:
            what = f" waiting for {self.waits_for}" if self.waits_for else ""
            hint = f"{suggest_remedy(self.waits_for) or 'fix the cause'}, or raise --timeout"
            late = DeadlineError(f"{self.step.title}: timed out{what}", hint=hint)
            late.left_changes = True
            raise late from None


def failed(runs: Sequence[StepRun], work: str) -> RegmirrorError:
    """All errors as one, whose causes they are; the first decides its kind.

    If something has or may have changed it is a PartlyAppliedError, unless the first is a timeout, which stays one. A
    hint that all errors share is the hint of the whole; otherwise each error has its own hint below it.
    """
    errors = [run.outcome for run in runs if isinstance(run.outcome, RegmirrorError)]
    first = errors[0]
    has_changes = bool(_changed(runs)) or any(error.left_changes for error in errors)
    if len(errors) == 1 and not has_changes:
        return first
    kind = type(first)
    if has_changes:
        kind = DeadlineError if first.exit_code is ExitCode.TIMED_OUT else PartlyAppliedError
    shared_hint = first.hint if all(error.hint in {None, first.hint} for error in errors) else None
    lines = _lines(errors, shared_hint)
    if kind is PartlyAppliedError:
        lines[0] = f"the {work} is incomplete: {first.code}: {lines[0]}"
    hint = f"{shared_hint or 'fix the cause'}; then {_RERUN}" if has_changes else shared_hint
    summary = kind("\n".join([*lines, *_extent(runs)] if has_changes else lines), hint=hint)
    summary.causes, summary.left_changes = tuple(errors), has_changes
    return summary


def interrupted(runs: Sequence[StepRun]) -> InterruptedRunError:
    """The error of a cancellation, which says how far the steps have come."""
    running = [
        run.step.title + (f" ({run.waits_for.splitlines()[0]})" if run.waits_for else "")
        for run in runs
        if run.started and run.outcome is None
    ]
    lines = [f"  in progress: {', '.join(running)}"] if running else []
    return InterruptedRunError("\n".join(["interrupted", *lines, *_extent(runs)]), hint=_RERUN)


def _lines(errors: Sequence[RegmirrorError], shared_hint: str | None) -> list[str]:
    """The message of each error, once; with its hint unless that is the shared one."""
    texts = [
        f"{error.message}\n  Try: {error.hint}" if error.hint and error.hint != shared_hint else error.message
        for error in errors
    ]
    others = [f"also {error.code}: {text}" for error, text in zip(errors, texts, strict=True)]
    return [texts[0], *(line for line in dict.fromkeys(others) if line != others[0])]


def _extent(runs: Sequence[StepRun]) -> list[str]:
    """How far all steps together have come."""
    parts = {
        "changed": _changed(runs),
        "may have changed": [run.step.title for run in runs if run.may_have_changed],
        "not started": [run.step.title for run in runs if not run.started],
    }
    return [f"  {what}: {', '.join(which)}" for what, which in parts.items() if which]


def _changed(runs: Sequence[StepRun]) -> list[str]:
    return [
        f"{run.step.title} ({run.outcome.detail})"
        for run in runs
        if isinstance(run.outcome, Done) and run.outcome.changed
    ]
