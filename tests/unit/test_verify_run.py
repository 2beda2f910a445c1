"""Checks run in parallel; results come in the order of the checks, and one cause is reported once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from regmirror.config.model import Upstream
from regmirror.errors import ClusterError
from regmirror.verify.check import (
    Category,
    Check,
    Failed,
    Outcome,
    Passed,
    Result,
    Severity,
    Skipped,
    UpstreamCheck,
    Warned,
)
from regmirror.verify.checks import CHECKS
from regmirror.verify.live_mirror import LiveMirror
from regmirror.verify.run import is_healthy, overall_result, run_checks
from tests import samples
from tests.unit.deployed import deployed

TIMEOUT = 300
TWO = samples.mirror(upstreams=samples.TWO_UPSTREAMS)


def live() -> LiveMirror:
    healthy = deployed()
    healthy.mirror = TWO
    return healthy.live()


def check(id_: str, outcome: Outcome | Callable[[], Outcome], *needs: str) -> Check:
    def run(_: LiveMirror) -> Outcome:
        return outcome() if callable(outcome) else outcome

    return Check(id_, f"title of {id_}", Category.CLUSTER, run, needs)


def upstream_check(id_: str, outcomes: dict[str, Outcome], *needs: str) -> Check:
    def run(_: LiveMirror, upstream: Upstream) -> Outcome:
        return outcomes[upstream.name]

    return UpstreamCheck(id_, f"title of {id_}", Category.TOKEN, run, needs)


def run(*checks: Check) -> list[tuple[str, str, Outcome]]:
    return [(result.check.id, result.upstream, result.outcome) for result in run_checks(checks, live())]


def test_results_come_in_the_order_of_the_checks_even_if_the_first_is_slow() -> None:
    last_is_over = threading.Event()

    def slow() -> Outcome:
        return Passed() if last_is_over.wait(TIMEOUT) else Failed("the others have waited for it")

    def last() -> Outcome:
        last_is_over.set()
        return Passed("last")

    assert run(check("a", slow), check("b", Warned("look")), check("c", last)) == [
        ("a", "", Passed()),
        ("b", "", Warned("look")),
        ("c", "", Passed("last")),
    ]


def test_a_result_is_yielded_as_soon_as_it_and_all_before_it_are_known() -> None:
    first_is_seen = threading.Event()

    def slow() -> Outcome:
        return Passed() if first_is_seen.wait(TIMEOUT) else Failed("the first result was held back")

    results = run_checks([check("a", Passed()), check("b", slow)], live())
    assert next(results).check.id == "a"
    first_is_seen.set()
    assert [result.outcome for result in results] == [Passed()]


@pytest.mark.parametrize("outcome", [Failed("broken"), Skipped("not tried")])
def test_a_check_is_skipped_if_one_that_it_needs_did_not_pass(outcome: Outcome) -> None:
    assert run(check("a", outcome), check("b", Passed(), "a"), check("c", Passed(), "b"), check("d", Passed())) == [
        ("a", "", outcome),
        ("b", "", Skipped("a did not pass")),
        ("c", "", Skipped("b did not pass")),
        ("d", "", Passed()),
    ]


def test_a_warning_stops_nothing() -> None:
    assert run(check("a", Warned("look")), check("b", Passed(), "a"))[1] == ("b", "", Passed())


def test_an_error_is_a_failure_with_its_hint() -> None:
    def raising() -> Outcome:
        raise ClusterError("no answer", hint="try again")

    def without_hint() -> Outcome:
        raise ClusterError("no answer")

    assert [outcome for *_, outcome in run(check("a", raising), check("b", without_hint))] == [
        Failed("no answer", "try again"),
        Failed("no answer", "fix the cause, then run the check again: regmirror verify --check b"),
    ]


def test_a_need_refers_to_the_same_upstream() -> None:
    first = upstream_check("a", {"docker-hub": Failed("broken"), "quay": Passed()})
    second = upstream_check("b", {"docker-hub": Passed(), "quay": Passed()}, "a")
    assert run(first, second)[2:] == [("b", "docker-hub", Skipped("a did not pass")), ("b", "quay", Passed())]


def test_a_check_of_the_whole_mirror_needs_every_upstream() -> None:
    first = upstream_check("a", {"docker-hub": Failed("broken"), "quay": Passed()})
    assert run(first, check("b", Passed(), "a"))[2] == ("b", "", Skipped("a did not pass"))


def test_many_checks_that_wait_for_one_do_not_block_it() -> None:
    needy = [check(f"n{number}", Passed(), "a") for number in range(40)]
    assert all(outcome == Passed() for *_, outcome in run(check("a", Passed()), *needy))


def test_a_check_that_hangs_fails_at_its_limit_and_stalls_nothing() -> None:
    release = threading.Event()

    def hang() -> Outcome:
        release.wait(TIMEOUT)
        return Passed()

    hanging = [replace(check(f"h{number}", hang), limit=0.1) for number in range(40)]
    outcomes = run(*hanging, check("b", Passed()), check("c", Passed(), "h0"))
    release.set()
    assert [id_ for id_, *_ in outcomes[:40]] == [one.id for one in hanging]
    assert [outcome for *_, outcome in outcomes[:40]] == [
        Failed("the check did not finish within 0.1 s", f"run it again: regmirror verify --check {one.id}")
        for one in hanging
    ]
    assert outcomes[40:] == [("b", "", Passed()), ("c", "", Skipped("h0 did not pass"))]


def test_a_failure_of_severity_warning_is_a_warning() -> None:
    def raising() -> Outcome:
        raise ClusterError("no answer", hint="try again")

    checks = [
        replace(check("a", Failed("broken", "fix it")), severity=Severity.WARNING),
        replace(check("b", raising), severity=Severity.WARNING),
    ]
    assert [outcome for *_, outcome in run(*checks)] == [Warned("broken", "fix it"), Warned("no answer", "try again")]


def test_an_error_in_a_check_fails_only_that_check_and_shows_no_secret() -> None:
    def faulty() -> Outcome:
        raise KeyError("canary")

    outcomes = [outcome for *_, outcome in run(check("a", faulty), check("b", Passed()))]
    hint = "report this as a bug, together with the archive that this command writes: regmirror support-bundle"
    assert outcomes == [Failed("internal error in this check (KeyError)", hint), Passed()]


def test_every_check_comes_after_those_that_it_needs() -> None:
    seen: set[str] = set()
    for one in CHECKS:
        assert set(one.needs) <= seen, one.id
        assert one.id not in seen
        seen.add(one.id)


def test_checks_are_grouped_by_category_in_the_order_of_the_categories() -> None:
    order = list(Category)
    positions = [order.index(one.category) for one in CHECKS]
    assert positions == sorted(positions)
    assert all(one.id.startswith(one.category.value) for one in CHECKS)


@pytest.mark.parametrize(
    ("outcomes", "healthy", "word"),
    [
        ([], True, "success"),
        ([Passed(), Skipped("x")], True, "success"),
        ([Passed(), Warned("x"), Skipped("x")], True, "warning"),
        ([Warned("x"), Failed("x"), Passed()], False, "error"),
    ],
)
def test_the_result_of_a_run_is_the_worst_of_its_checks(outcomes: list[Outcome], healthy: bool, word: str) -> None:
    results = [Result(check("a", outcome), "", outcome) for outcome in outcomes]
    assert is_healthy(results) is healthy
    assert overall_result(results) == word
