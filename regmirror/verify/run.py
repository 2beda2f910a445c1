"""Runs checks side by side, as their needs allow, and gives the results in the order of the checks."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from regmirror.errors import RegmirrorError
from regmirror.verify.check import BoundCheck, Check, Failed, Outcome, Result, Skipped, Warned
from regmirror.verify.subject import Subject

_WORKERS = 16

Futures = dict[tuple[str, str], Future[Outcome]]
"""The outcomes to come, by check id and upstream."""


def run_checks(checks: Sequence[Check], subject: Subject) -> Iterator[Result]:
    """Every check's results, each as soon as it and all before it are there.

    A check stands after those that it needs; so those have a worker already, and waiting for them cannot block. Where
    one of them failed, the check is skipped and says so.
    """
    bound = [one for check in checks for one in check.bind(subject)]
    futures: Futures = {}
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="check") as pool:
        for one in bound:
            needed = {need: _needed(futures, need, one.upstream) for need in one.check.needs}
            futures[one.check.id, one.upstream] = pool.submit(_run, one, needed)
        for one in bound:
            yield Result(one.check, one.upstream, futures[one.check.id, one.upstream].result())


def _needed(futures: Futures, need: str, upstream: str) -> list[Future[Outcome]]:
    """What a need means for one upstream: the same upstream's check, or that of the whole mirror, or all of them."""
    for key in ((need, upstream), (need, "")):
        if key in futures:
            return [futures[key]]
    return [future for (id_, _), future in futures.items() if id_ == need]


def _run(one: BoundCheck, needed: dict[str, list[Future[Outcome]]]) -> Outcome:
    for need, futures in needed.items():
        if any(isinstance(future.result(), (Failed, Skipped)) for future in futures):
            return Skipped(f"needs {need}")
    try:
        return one.run()
    except RegmirrorError as error:
        return Failed(error.message, error.hint or "")


def is_healthy(results: Sequence[Result]) -> bool:
    """Whether nothing failed; warnings and skipped checks do not count as failures."""
    return not any(isinstance(result.outcome, Failed) for result in results)


def worst(results: Sequence[Result]) -> str:
    """How a run ended, in one word of the report: success, warning or error."""
    if not is_healthy(results):
        return "error"
    return "warning" if any(isinstance(result.outcome, Warned) for result in results) else "success"
