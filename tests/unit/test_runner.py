"""Steps run in parallel as far as their needs allow; a failure stops only what needs it, and all are reported."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from regmirror.errors import (
    ClusterError,
    DeadlineError,
    ExitCode,
    HelmError,
    InterruptedRunError,
    PartlyAppliedError,
    RegmirrorError,
)
from regmirror.steps.runner import run_steps
from regmirror.steps.step import Done, Waiting
from tests.fakes.progress import RecordedProgress

TIME_LIMIT = 10


@dataclass
class Step:
    """A step that does what the test wants; ``started`` is set when it runs."""

    name: str
    work: Callable[[], Awaitable[Done]]
    needs: tuple[str, ...] = ()
    started: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def title(self) -> str:
        return self.name.upper()

    async def apply(self, progress: Waiting) -> Done:
        progress.waiting(f"the end of {self.name}\n  in good order")
        self.started.set()
        return await self.work()


def doing(detail: str = "", *, changed: bool = False) -> Callable[[], Awaitable[Done]]:
    async def work() -> Done:
        return Done(detail, changed)

    return work


def failing(error: RegmirrorError) -> Callable[[], Awaitable[Done]]:
    async def work() -> Done:
        raise error

    return work


def run(*steps: Step) -> tuple[list[Done], list[str]]:
    progress = RecordedProgress()
    done = asyncio.run(asyncio.wait_for(run_steps(steps, progress), TIME_LIMIT))
    return done, ended(progress)


def failed(*steps: Step, deadline: float | None = None) -> tuple[RegmirrorError, list[str]]:
    progress = RecordedProgress()
    with pytest.raises(RegmirrorError) as caught:
        asyncio.run(asyncio.wait_for(run_steps(steps, progress, deadline), TIME_LIMIT))
    return caught.value, ended(progress)


def ended(progress: RecordedProgress) -> list[str]:
    """The events, except what steps wait for."""
    return [event for event in progress.events if not event.startswith("waiting")]


async def forever() -> Done:
    await asyncio.Event().wait()
    raise AssertionError


def test_results_come_in_the_order_of_the_steps() -> None:
    first_may_end = asyncio.Event()

    async def slow() -> Done:
        await first_may_end.wait()
        return Done("slow")

    async def quick() -> Done:
        first_may_end.set()
        return Done("quick")

    done, events = run(Step("a", slow), Step("b", quick))
    assert [result.detail for result in done] == ["slow", "quick"]
    assert events == ["started A", "started B", "finished B: quick", "finished A: slow"]


def test_a_step_starts_only_after_all_that_it_needs() -> None:
    def needing(*others: Step) -> Callable[[], Awaitable[Done]]:
        async def work() -> Done:
            return Done(str([other.started.is_set() for other in others]))

        return work

    a, b = Step("a", doing()), Step("b", doing(), needs=("a",))
    done, events = run(a, b, Step("c", needing(a, b), needs=("a", "b")))
    assert done[2].detail == "[True, True]"
    assert events.index("finished B: ") < events.index("started C")


def test_a_failure_stops_only_what_needs_it() -> None:
    error, events = failed(
        Step("a", failing(ClusterError("refused", hint="ask"))),
        Step("b", doing("fine")),
        Step("c", doing(), needs=("a",)),
        Step("d", doing(), needs=("c",)),
        Step("e", doing("too"), needs=("b",)),
    )
    assert (error.message, error.hint, error.code, error.exit_code) == ("refused", "ask", "RM200", ExitCode.FAILED)
    assert sorted(events) == sorted(
        [
            "started A",
            "started B",
            "started E",
            "failed A: refused",
            "finished B: fine",
            "finished E: too",
            "skipped C: skipped: an earlier step failed",
            "skipped D: skipped: an earlier step failed",
        ]
    )


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        ("ask", "ask; then run the command again: it continues where it stopped"),
        (None, "fix the cause; then run the command again: it continues where it stopped"),
    ],
)
def test_a_failure_after_a_change_is_partly_applied(hint: str | None, expected: str) -> None:
    cause = ClusterError("refused", hint=hint)
    error, _ = failed(
        Step("a", doing("7 created", changed=True)),
        Step("b", doing("as it was")),
        Step("c", failing(cause)),
        Step("d", doing(), needs=("c",)),
    )
    assert isinstance(error, PartlyAppliedError)
    assert error.exit_code is ExitCode.PARTIAL
    assert error.message.splitlines() == [
        "the deployment is incomplete: RM200: refused",
        "  changed: A (7 created)",
        "  not started: D",
    ]
    assert error.hint == expected
    assert error.causes == (cause,)


def test_a_failure_that_may_have_changed_something_is_partly_applied() -> None:
    cause = ClusterError("refused")
    cause.left_changes = True
    error, _ = failed(Step("a", failing(cause)))
    assert error.exit_code is ExitCode.PARTIAL
    assert error.message.splitlines() == ["the deployment is incomplete: RM200: refused", "  may have changed: A"]


def test_a_timeout_says_what_the_step_waited_for() -> None:
    error, events = failed(
        Step("a", doing("7 created", changed=True)),
        Step("b", forever, needs=("a",)),
        Step("c", doing(), needs=("b",)),
        deadline=time.monotonic() + 0.5,
    )
    assert isinstance(error, DeadlineError)
    assert error.exit_code is ExitCode.TIMED_OUT
    assert error.message.splitlines() == [
        "B: timed out waiting for the end of b",
        "  in good order",
        "  changed: A (7 created)",
        "  may have changed: B",
        "  not started: C",
    ]
    assert error.hint == (
        "fix the cause, or raise --timeout; then run the command again: it continues where it stopped"
    )
    assert events[-1] == "skipped C: skipped: an earlier step failed"


def test_an_interruption_reports_how_far_the_steps_came() -> None:
    a, b, c = Step("a", doing("7 created", changed=True)), Step("b", forever), Step("c", doing(), needs=("b",))

    async def scenario() -> None:
        task = asyncio.create_task(run_steps([a, b, c], RecordedProgress()))
        await asyncio.gather(a.started.wait(), b.started.wait())
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(InterruptedRunError) as caught:
        asyncio.run(asyncio.wait_for(scenario(), TIME_LIMIT))
    assert caught.value.exit_code is ExitCode.INTERRUPTED
    assert caught.value.message.splitlines() == [
        "interrupted",
        "  in progress: B (the end of b)",
        "  changed: A (7 created)",
        "  not started: C",
    ]
    assert caught.value.hint == "run the command again: it continues where it stopped"


def test_several_failures_are_reported_together_each_with_its_own_hint() -> None:
    second_has_failed = asyncio.Event()

    async def fail_late() -> Done:
        await second_has_failed.wait()
        raise ClusterError("first", hint="do this")

    async def fail_early() -> Done:
        second_has_failed.set()
        raise HelmError("second", hint="do that")

    error, _ = failed(Step("a", fail_late), Step("b", fail_early), Step("c", failing(HelmError("third"))))
    assert (error.code, error.hint) == ("RM200", None)
    assert error.message == "first\n  Try: do this\nalso RM300: second\n  Try: do that\nalso RM300: third"


def test_a_hint_that_all_failures_share_is_shown_once() -> None:
    error, _ = failed(
        Step("a", failing(HelmError("a is denied", hint="allow it"))),
        Step("b", failing(HelmError("b is denied", hint="allow it"))),
    )
    assert (error.message, error.hint) == ("a is denied\nalso RM300: b is denied", "allow it")


def test_the_same_failure_of_several_steps_is_shown_once() -> None:
    error, _ = failed(*(Step(name, failing(HelmError("no answer"))) for name in "abc"))
    assert error.message == "no answer"


def test_nothing_to_do_is_done() -> None:
    assert run() == ([], [])


def test_an_operation_whose_end_was_not_seen_is_in_the_report() -> None:
    """The API server stops answering in the middle of two installations."""

    def lost(name: str) -> HelmError:
        error = HelmError(f"{name}: no answer")
        error.left_changes = True
        return error

    error, _ = failed(
        Step("a", doing("7 created", changed=True)),
        Step("b", failing(lost("b")), needs=("a",)),
        Step("c", failing(lost("c")), needs=("a",)),
        Step("d", failing(ClusterError("refused")), needs=("a",)),
        Step("e", doing(), needs=("b", "c")),
    )
    assert error.message.splitlines()[-3:] == [
        "  changed: A (7 created)",
        "  may have changed: B, C",
        "  not started: E",
    ]


def test_ends_are_reported_in_the_order_of_the_steps_if_asked() -> None:
    first_may_end = asyncio.Event()

    async def slow() -> Done:
        await first_may_end.wait()
        return Done("slow")

    async def quick() -> Done:
        first_may_end.set()
        return Done("quick")

    progress = RecordedProgress()
    steps = [Step("a", slow), Step("b", quick), Step("c", failing(ClusterError("no"))), Step("d", doing())]
    with pytest.raises(ClusterError):
        asyncio.run(asyncio.wait_for(run_steps(steps, progress, in_order=True), TIME_LIMIT))
    assert [event for event in ended(progress) if not event.startswith("started")] == [
        "finished A: slow",
        "finished B: quick",
        "failed C: no",
        "finished D: ",
    ]
