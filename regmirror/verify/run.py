"""Runs checks in parallel as soon as what they need has passed, and yields their results in the order of the checks."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from regmirror.errors import RegmirrorError
from regmirror.verify.check import BoundCheck, Check, Failed, NotApplicable, Outcome, Result, Severity, Skipped, Warned
from regmirror.verify.live_mirror import LiveMirror

_AT_ONCE = 16
_PAUSE = 1.0
"""Seconds between two rounds."""

Futures = dict[tuple[str, str], Future[Result]]
"""The results to come, by check id and upstream."""


def run_checks(checks: Sequence[Check], live: LiveMirror) -> Iterator[Result]:
    """Yield the result of every check as soon as it and all before it are known.

    A check waits for those that it needs or comes after; if one of them does not pass, it is skipped. A check that
    exceeds its time limit fails, and delays only the checks that need it.
    """
    bound = [one for check in checks for one in check.for_mirror(live)]
    futures: Futures = {}
    slots = threading.Semaphore(_AT_ONCE)
    for one in bound:
        needed = {need: _needed(futures, need, one.upstream) for need in (*one.check.needs, *one.check.after)}
        run = _Run(one, needed, slots, f"regmirror verify --check {one.check.id}")
        futures[one.check.id, one.upstream] = run.result
        # A daemon, so that a check that hangs cannot keep the process from ending.
        threading.Thread(target=run.work, name=one.check.id, daemon=True).start()
    for one in bound:
        yield futures[one.check.id, one.upstream].result()


def run_until_healthy(
    checks: Sequence[Check], new_mirror: Callable[[], LiveMirror], timeout: timedelta, report: Callable[[str], None]
) -> list[Result]:
    """The results of the first round without a failure, or of the last round that began before the timeout.

    Every round repeats every check, because what passed before may have failed since. ``report`` receives the ids of
    the checks that failed.
    """
    ends = time.monotonic() + timeout.total_seconds()
    while True:
        results = list(run_checks(checks, new_mirror()))
        if is_healthy(results) or time.monotonic() + _PAUSE > ends:
            return results
        failed = dict.fromkeys(result.check.id for result in results if isinstance(result.outcome, Failed))
        report(f"waiting for {', '.join(failed)}")
        time.sleep(_PAUSE)


def _needed(futures: Futures, need: str, upstream: str) -> list[Future[Result]]:
    """The results that a need refers to: of the same upstream, else of the whole mirror, else of every upstream."""
    for key in ((need, upstream), (need, "")):
        if key in futures:
            return [futures[key]]
    return [future for (id_, _), future in futures.items() if id_ == need]


@dataclass(frozen=True, slots=True)
class _Run:
    """The run of one check; ``command`` repeats only this check."""

    one: BoundCheck
    needed: dict[str, list[Future[Result]]]
    slots: threading.Semaphore
    command: str
    result: Future[Result] = field(default_factory=Future)

    def work(self) -> None:
        for need, futures in self.needed.items():
            is_order = need in self.one.check.after
            if any(_blocks(future.result().outcome, is_order) for future in futures):
                self._settle(Skipped(f"{need} did not pass"), 0.0)
                return
        self.slots.acquire()
        limit = self.one.check.limit
        late = Failed(f"the check did not finish within {limit:g} s", f"run it again: {self.command}")
        clock = threading.Timer(limit, self._end, [late, limit])
        clock.daemon = True
        clock.start()
        started = time.monotonic()
        outcome = self._outcome()
        clock.cancel()
        self._end(outcome, time.monotonic() - started)

    def _outcome(self) -> Outcome:
        try:
            return self.one.run()
        except RegmirrorError as error:
            return Failed(error.message, error.hint or f"fix the cause, then run the check again: {self.command}")
        except Exception as error:
            # The text of an unexpected exception may contain anything, a secret too.
            report = "report this as a bug, together with the archive that this command writes: "
            return Failed(f"internal error in this check ({type(error).__name__})", f"{report}regmirror support-bundle")

    def _end(self, outcome: Outcome, seconds: float) -> None:
        """Record the outcome and free the slot, once: either the check or its time limit comes first."""
        if isinstance(outcome, Failed) and self.one.check.severity is Severity.WARNING:
            outcome = Warned(outcome.message, outcome.hint)
        with suppress(InvalidStateError):
            self._settle(outcome, seconds)
            self.slots.release()

    def _settle(self, outcome: Outcome, seconds: float) -> None:
        self.result.set_result(Result(self.one.check, self.one.upstream, outcome, seconds))


def _blocks(outcome: Outcome, is_order: bool) -> bool:
    """Whether a check that needs this one, or with ``is_order`` only comes after it, is skipped."""
    if isinstance(outcome, Skipped) and (is_order or isinstance(outcome, NotApplicable)):
        return False
    return isinstance(outcome, (Failed, Skipped))


def is_healthy(results: Sequence[Result]) -> bool:
    """Whether no check failed; warnings and skipped checks are not failures."""
    return not any(isinstance(result.outcome, Failed) for result in results)


def overall_result(results: Sequence[Result]) -> Literal["success", "warning", "error"]:
    """The result of a run in one word of the report: success, warning or error."""
    if not is_healthy(results):
        return "error"
    return "warning" if any(isinstance(result.outcome, Warned) for result in results) else "success"
