"""Repeats a verification until it succeeds or its time is over."""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from regmirror.verify.check import Check, Failed, Result
from regmirror.verify.live_mirror import LiveMirror
from regmirror.verify.run import is_healthy, run_checks

_PAUSE = 1.0
"""Seconds between two rounds."""


def run_until_healthy(
    checks: Sequence[Check], new_subject: Callable[[], LiveMirror], patience: timedelta, tell: Callable[[str], None]
) -> list[Result]:
    """The results of the first round without a failure, or of the last round that began in time.

    Every round asks everything anew: what passed a minute ago may have broken since. ``tell`` hears what is waited for.
    """
    ends = time.monotonic() + patience.total_seconds()
    while True:
        results = list(run_checks(checks, new_subject()))
        if is_healthy(results) or time.monotonic() + _PAUSE > ends:
            return results
        failed = dict.fromkeys(result.check.id for result in results if isinstance(result.outcome, Failed))
        tell(f"waiting for {', '.join(failed)}")
        time.sleep(_PAUSE)
