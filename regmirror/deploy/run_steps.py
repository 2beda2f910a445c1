"""Runs steps side by side as far as their needs allow."""

import asyncio
from collections.abc import Sequence

from regmirror.deploy.attempt import Attempt
from regmirror.deploy.steps import Done, Progress, Step
from regmirror.deploy.summary import failed, interrupted
from regmirror.errors import RegmirrorError


async def run_steps(
    steps: Sequence[Step], progress: Progress, deadline: float | None = None, *, work: str = "deployment"
) -> list[Done]:
    """Run every step whose needs are met, as many at a time as possible; gives the results in the order of ``steps``.

    A step comes after those it needs. A failed step stops only the steps that need it. What is not done by
    ``deadline`` (monotonic clock) has failed. Raises what ``regmirror.deploy.summary`` makes of failures, and of
    being cancelled; ``work`` is what it calls all steps together.
    """
    attempts = [Attempt(step, progress) for step in steps]
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
