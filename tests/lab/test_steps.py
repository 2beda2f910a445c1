"""Steps run when what they need is there, and a failure is told once, as what it was."""

import threading

import pytest

from lab import steps
from lab.errors import LabError
from lab.steps import Step


def run(*given: Step, stopped: threading.Event | None = None) -> None:
    steps.run(given, stopped or threading.Event(), lambda: None)


def test_a_step_comes_after_those_that_it_names() -> None:
    order: list[str] = []
    run(
        Step("store", lambda: order.append("store")),
        Step("server", lambda: order.append("server"), after=("store",)),
        Step("client", lambda: order.append("client"), after=("server", "store")),
    )
    assert order == ["store", "server", "client"]


def test_steps_that_do_not_wait_for_each_other_run_at_once() -> None:
    together = threading.Barrier(2, timeout=10)

    def meet() -> None:
        together.wait()

    run(Step("one", meet), Step("other", meet))
    assert not together.broken


def test_the_first_failure_is_raised_and_ends_those_that_wait() -> None:
    stopped = threading.Event()
    ran: list[str] = []

    def fail() -> None:
        raise LabError("etcd is broken")

    def wait() -> None:
        steps.until(lambda: False, "the end of the world", seconds=60, stopped=stopped)

    with pytest.raises(LabError, match="etcd is broken"):
        run(
            Step("waiting", wait),
            Step("etcd", fail),
            Step("after", lambda: ran.append("after"), after=("etcd",)),
            stopped=stopped,
        )
    assert ran == []


def test_what_does_not_come_is_named() -> None:
    with pytest.raises(LabError, match=r"^The node was not there after 0 s\.$"):
        steps.until(lambda: False, "The node", seconds=0, stopped=threading.Event())
