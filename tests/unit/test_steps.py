"""Steps run side by side as far as their needs allow; a failure stops only what needs it, and all are told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from regmirror.deploy.steps import Done, Progress, run_steps
from regmirror.errors import ClusterError, ExitCode, HelmError, PartlyAppliedError, RegmirrorError, RolloutTimeoutError
from tests.fakes.progress import RecordedProgress

PATIENCE = 10


@dataclass
class Step:
    """A step that does what the test wants; ``begun`` tells that it runs."""

    name: str
    work: Callable[[], Awaitable[Done]]
    needs: tuple[str, ...] = ()
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def title(self) -> str:
        return self.name.upper()

    async def apply(self, progress: Progress) -> Done:  # noqa: ARG002 - what a step says is its own matter
        self.begun.set()
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
    done = asyncio.run(asyncio.wait_for(run_steps(steps, progress), PATIENCE))
    return done, progress.events


def failed(*steps: Step) -> tuple[RegmirrorError, list[str]]:
    progress = RecordedProgress()
    with pytest.raises(RegmirrorError) as caught:
        asyncio.run(asyncio.wait_for(run_steps(steps, progress), PATIENCE))
    return caught.value, progress.events


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
            return Done(str([other.begun.is_set() for other in others]))

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
            "skipped C: what it needs has failed",
            "skipped D: what it needs has failed",
        ]
    )


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        ("ask", "ask; then run the command again: it goes on from here"),
        (None, "mend it, then run the command again: it goes on from here"),
    ],
)
def test_a_failure_after_a_change_is_a_part_done(hint: str | None, expected: str) -> None:
    error, _ = failed(Step("a", doing(changed=True)), Step("b", failing(ClusterError("refused", hint=hint))))
    assert isinstance(error, PartlyAppliedError)
    assert error.exit_code is ExitCode.PARTIAL
    assert error.message == "the deployment is incomplete: refused"
    assert error.hint == expected


def test_a_timeout_stays_one_though_something_was_changed() -> None:
    error, _ = failed(Step("a", doing(changed=True)), Step("b", failing(RolloutTimeoutError("not ready in time"))))
    assert error.exit_code is ExitCode.TIMED_OUT


def test_several_failures_are_told_together_the_first_step_first() -> None:
    second_has_failed = asyncio.Event()

    async def fail_late() -> Done:
        await second_has_failed.wait()
        raise ClusterError("first", hint="do this")

    async def fail_early() -> Done:
        second_has_failed.set()
        raise HelmError("second", hint="do that")

    error, _ = failed(Step("a", fail_late), Step("b", fail_early), Step("c", failing(HelmError("third"))))
    assert (error.code, error.hint) == ("RM200", "do this")
    assert error.message == "first\nalso RM300: second\n  Try: do that\nalso RM300: third"


def test_nothing_to_do_is_done() -> None:
    assert run() == ([], [])
