"""Steps that wait for one another: each runs as soon as those that it comes after are done."""

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
    """Something to do after the steps named in `after`; `title` is what progress says of it, if anything."""

    name: str
    run: Callable[[], None]
    after: tuple[str, ...] = ()
    title: str = ""


class StoppedError(LabError):
    """Another step has failed, so this one gave up."""


def run(steps: Sequence[Step], stopped: threading.Event, in_each_thread: Callable[[], None]) -> None:
    """Runs `steps`, those that do not wait for each other at once; sets `stopped` and raises when one fails.

    A step must come after the steps that it waits for in the list, too. Each thread calls `in_each_thread` first.
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
    """Returns when `condition` holds; raises LabError after `seconds`, StoppedError when `stopped` is set before."""
    deadline = time.monotonic() + seconds
    while not condition():
        if stopped.wait(POLL_SECONDS):
            raise StoppedError(f"Gave up waiting for {what}.")
        if time.monotonic() > deadline:
            raise LabError(f"{what} was not there after {seconds:.0f} s.")
