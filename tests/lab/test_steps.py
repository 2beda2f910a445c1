"""Steps run when their dependencies are complete, and a failure is raised once, with its original error."""

import threading

import pytest

from lab import steps
from lab.errors import LabError
from lab.steps import Step


def run(*given: Step, stopped: threading.Event | None = None) -> None:
    steps.run(given, stopped or threading.Event(), lambda: None)


def test_a_step_runs_after_its_dependencies() -> None:
    order: list[str] = []
    run(
        Step("store", lambda: order.append("store")),
        Step("server", lambda: order.append("server"), after=("store",)),
        Step("client", lambda: order.append("client"), after=("server", "store")),
    )
    assert order == ["store", "server", "client"]


def test_independent_steps_run_in_parallel() -> None:
    together = threading.Barrier(2, timeout=300)

    def meet() -> None:
        together.wait()

    run(Step("one", meet), Step("other", meet))
    assert not together.broken


def test_the_first_failure_is_raised_and_stops_waiting_steps() -> None:
    stopped = threading.Event()
    ran: list[str] = []

    def fail() -> None:
        raise LabError("etcd is broken")

    def wait() -> None:
        steps.until(lambda: False, "a condition that never holds", seconds=600, stopped=stopped)

    with pytest.raises(LabError, match="etcd is broken"):
        run(
            Step("waiting", wait),
            Step("etcd", fail),
            Step("after", lambda: ran.append("after"), after=("etcd",)),
            stopped=stopped,
        )
    assert ran == []


def test_a_timeout_names_the_condition() -> None:
    with pytest.raises(LabError, match=r"^timed out after 0 s waiting for the node$"):
        steps.until(lambda: False, "the node", seconds=0, stopped=threading.Event())
