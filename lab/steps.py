"""Runs steps in parallel; each starts as soon as the steps that it depends on are complete."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from lab import progress
from lab.errors import LabError

POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Step:
    """A function to run after the steps named in `after`; `title` is reported when it is complete, if not empty."""

    name: str
    run: Callable[[], None]
    after: tuple[str, ...] = ()
    title: str = ""


class StoppedError(LabError):
    """This step was stopped because another one failed."""


def run(steps: Sequence[Step], stopped: threading.Event, in_each_thread: Callable[[], None]) -> None:
    """Runs `steps` in parallel; when one fails, sets `stopped` and raises its error.

    In the list, a step must follow the steps that it depends on. Each thread calls `in_each_thread` first.
    """
    started = time.monotonic()
    with ThreadPoolExecutor(max_workers=len(steps), initializer=in_each_thread) as pool:
        futures: dict[str, Future[None]] = {}

        def perform(step: Step, needed: list[Future[None]]) -> None:
            try:
                for future in needed:
                    future.result()
                step.run()
            except BaseException:
                stopped.set()
                raise
            if step.title:
                progress.say(f"  {time.monotonic() - started:5.1f} s  {step.title}")

        try:
            for step in steps:
                futures[step.name] = pool.submit(perform, step, [futures[name] for name in step.after])
            for future in futures.values():
                future.exception()
        except BaseException:
            stopped.set()
            raise
    failures = [error for future in futures.values() if (error := future.exception())]
    for error in sorted(failures, key=lambda error: isinstance(error, StoppedError)):
        raise error


def until(condition: Callable[[], bool], what: str, *, seconds: float, stopped: threading.Event) -> None:
    """Returns when `condition` holds; raises LabError after `seconds`, StoppedError if `stopped` is set before."""
    deadline = time.monotonic() + seconds
    while not condition():
        if stopped.wait(POLL_SECONDS):
            raise StoppedError(f"stopped waiting for {what}")
        if time.monotonic() > deadline:
            raise LabError(f"timed out after {seconds:.0f} s waiting for {what}")
