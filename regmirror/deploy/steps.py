"""Steps of a deployment: what a step is, and how steps run side by side as far as their needs allow."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from regmirror.errors import ExitCode, PartlyAppliedError, RegmirrorError


@dataclass(frozen=True, slots=True)
class Done:
    """What a step found or did."""

    detail: str
    changed: bool = False


class Progress(Protocol):
    """Hears how steps go; called from the event loop."""

    def started(self, title: str) -> None:
        """A step begins."""

    def waiting(self, title: str, reason: str) -> None:
        """A running step waits for something."""

    def finished(self, title: str, done: Done) -> None:
        """A step ended well."""

    def failed(self, title: str, error: RegmirrorError) -> None:
        """A step failed."""

    def skipped(self, title: str, reason: str) -> None:
        """A step was not tried."""


class Step(Protocol):
    """One thing to do, which does nothing where it is done already."""

    @property
    def name(self) -> str:
        """Unique among the steps; what others call it in their needs."""

    @property
    def title(self) -> str:
        """What the step is about, for people."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The names of the steps that must have ended well before this one starts."""

    async def apply(self, progress: Progress) -> Done:
        """Do it; raises RegmirrorError."""


Outcome = Done | RegmirrorError | None
"""How a step ended; None where it was not tried."""


async def run_steps(steps: Sequence[Step], progress: Progress) -> list[Done]:
    """Run every step whose needs are met, as many at a time as possible; gives the results in the order of ``steps``.

    A step comes after those it needs. A failed step stops only the steps that need it. Raises the first failed step's
    error, as PartlyAppliedError where other steps have changed something.
    """
    tasks: dict[str, asyncio.Task[Outcome]] = {}
    async with asyncio.TaskGroup() as group:
        for step in steps:
            tasks[step.name] = group.create_task(_run(step, [tasks[need] for need in step.needs], progress))
    outcomes = [task.result() for task in tasks.values()]
    done = [outcome for outcome in outcomes if isinstance(outcome, Done)]
    errors = [outcome for outcome in outcomes if isinstance(outcome, RegmirrorError)]
    if errors:
        raise _summary(errors, changed=any(result.changed for result in done))
    return done


async def _run(step: Step, needs: list[asyncio.Task[Outcome]], progress: Progress) -> Outcome:
    if not all([isinstance(await need, Done) for need in needs]):
        progress.skipped(step.title, "what it needs has failed")
        return None
    progress.started(step.title)
    try:
        done = await step.apply(progress)
    except RegmirrorError as error:
        progress.failed(step.title, error)
        return error
    progress.finished(step.title, done)
    return done


def _summary(errors: list[RegmirrorError], *, changed: bool) -> RegmirrorError:
    """All errors as one: the first tells the kind, the exit code and the cure."""
    first = errors[0]
    message = "\n".join([first.message, *(_with_hint(error) for error in errors[1:])])
    if changed and first.exit_code is ExitCode.FAILED:
        again = "then run the command again: it goes on from here"
        return PartlyAppliedError(
            f"the deployment is incomplete: {message}",
            hint=f"{first.hint}; {again}" if first.hint else f"mend it, {again}",
        )
    first.message = message
    return first


def _with_hint(error: RegmirrorError) -> str:
    return f"also {error.code}: {error.message}" + (f"\n  Try: {error.hint}" if error.hint else "")
