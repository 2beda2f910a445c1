"""Runs checks side by side, as their needs allow, and gives the results in the order of the checks."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field

from regmirror.errors import RegmirrorError
from regmirror.verify.check import BoundCheck, Check, Failed, Outcome, Result, Severity, Skipped, Warned
from regmirror.verify.live_mirror import LiveMirror

_AT_ONCE = 16

Futures = dict[tuple[str, str], Future[Result]]
"""The results to come, by check id and upstream."""


def run_checks(checks: Sequence[Check], live: LiveMirror) -> Iterator[Result]:
    """Every check's results, each as soon as it and all before it are there.

    A check waits for those that it needs; where one of them failed, it is skipped and says so. One that outlives its
    time limit has failed, and whatever it hangs on stalls nothing but the checks that need it.
    """
    bound = [one for check in checks for one in check.bind(live)]
    futures: Futures = {}
    slots = threading.Semaphore(_AT_ONCE)
    for one in bound:
        needed = {need: _needed(futures, need, one.upstream) for need in one.check.needs}
        run = _Run(one, needed, slots)
        futures[one.check.id, one.upstream] = run.result
        # A daemon, so that a check that hangs cannot keep the process from ending.
        threading.Thread(target=run.work, name=one.check.id, daemon=True).start()
    for one in bound:
        yield futures[one.check.id, one.upstream].result()


def _needed(futures: Futures, need: str, upstream: str) -> list[Future[Result]]:
    """What a need means for one upstream: the same upstream's check, or that of the whole mirror, or all of them."""
    for key in ((need, upstream), (need, "")):
        if key in futures:
            return [futures[key]]
    return [future for (id_, _), future in futures.items() if id_ == need]


@dataclass(frozen=True, slots=True)
class _Run:
    """One check on its way to its result."""

    one: BoundCheck
    needed: dict[str, list[Future[Result]]]
    slots: threading.Semaphore
    result: Future[Result] = field(default_factory=Future)

    def work(self) -> None:
        for need, futures in self.needed.items():
            if any(isinstance(future.result().outcome, (Failed, Skipped)) for future in futures):
                self._settle(Skipped(f"needs {need}"), 0.0)
                return
        self.slots.acquire()
        limit = self.one.check.limit
        clock = threading.Timer(limit, self._end, [Failed(f"did not end within {limit:g} s", self._page), limit])
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
            return Failed(error.message, error.hint or self._page)
        except Exception as error:
            # Its own words may hold anything, a secret too.
            return Failed(f"the check itself ended in an unexpected {type(error).__name__}", "report it, please")

    @property
    def _page(self) -> str:
        """The hint where nothing is known but which check it was."""
        return f"see docs/checks.md under {self.one.check.id}"

    def _end(self, outcome: Outcome, seconds: float) -> None:
        """Whoever comes first, the check or the end of its time, frees the slot."""
        if isinstance(outcome, Failed) and self.one.check.severity is Severity.WARNING:
            outcome = Warned(outcome.message, outcome.hint)
        with suppress(InvalidStateError):
            self._settle(outcome, seconds)
            self.slots.release()

    def _settle(self, outcome: Outcome, seconds: float) -> None:
        self.result.set_result(Result(self.one.check, self.one.upstream, outcome, seconds))


def is_healthy(results: Sequence[Result]) -> bool:
    """Whether nothing failed; warnings and skipped checks do not count as failures."""
    return not any(isinstance(result.outcome, Failed) for result in results)


def worst(results: Sequence[Result]) -> str:
    """How a run ended, in one word of the report: success, warning or error."""
    if not is_healthy(results):
        return "error"
    return "warning" if any(isinstance(result.outcome, Warned) for result in results) else "success"
