"""Which checks run: the selected ones and those that they need; and how often they are repeated."""

from __future__ import annotations

from datetime import timedelta

import pytest

from regmirror.errors import ConfigurationError
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, Skipped, Stage
from regmirror.verify.checks import CHECKS
from regmirror.verify.live_mirror import LiveMirror
from regmirror.verify.run import run_until_healthy
from regmirror.verify.select import select_checks
from tests.unit.deployed import deployed


def test_all_are_selected_if_none_is_named() -> None:
    chosen = select_checks(CHECKS, pre_install=False)
    assert chosen == [check for check in CHECKS if check.stage is not Stage.PRE_INSTALL]


def test_a_check_is_selected_with_those_that_it_needs() -> None:
    chosen = [check.id for check in select_checks(CHECKS, ["token-bundle"], pre_install=False)]
    assert chosen == ["cluster-api", "cluster-permissions", "cluster-deployed", "token-key-pair", "token-bundle"]


def test_a_category_is_selected_with_the_checks_that_it_needs() -> None:
    chosen = select_checks(CHECKS, categories=[Category.CACHE], pre_install=False)
    assert {check.id for check in CHECKS if check.category is Category.CACHE} <= {check.id for check in chosen}
    assert {need for check in chosen for need in check.needs} <= {check.id for check in chosen}
    assert Category.CLIENTS not in {check.category for check in chosen}


def test_before_the_first_deployment_only_pre_install_checks_run() -> None:
    chosen = [check.id for check in select_checks(CHECKS, pre_install=True)]
    assert chosen == [
        "cluster-api",
        "cluster-version",
        "cluster-permissions",
        "cluster-versions",
        "config-ingress-class",
        "config-patterns",
        "storage-volume",
        "storage-key",
        "upstream-access",
    ]


def test_an_unknown_id_is_refused_with_a_suggestion() -> None:
    with pytest.raises(ConfigurationError) as caught:
        select_checks(CHECKS, ["tls-hots"], pre_install=False)
    assert "tls-host" in str(caught.value.hint)


def live() -> LiveMirror:
    return deployed().live()


def failing(times: int) -> Check:
    """A check that fails this many times before it passes."""
    left = [times]

    def run(_: LiveMirror) -> Outcome:
        left[0] -= 1
        return Failed("not yet") if left[0] >= 0 else Passed()

    return Check("a", "title", Category.CLUSTER, run)


def test_waiting_ends_with_the_first_healthy_round() -> None:
    reported: list[str] = []
    needy = Check("b", "title", Category.CLUSTER, lambda _: Passed(), needs=("a",))
    results = run_until_healthy([failing(1), needy], live, timedelta(minutes=1), reported.append)
    assert [result.outcome for result in results] == [Passed(), Passed()]
    assert reported == ["waiting for a"]


def test_after_the_timeout_the_results_of_the_last_round_are_returned() -> None:
    reported: list[str] = []
    needy = Check("b", "title", Category.CLUSTER, lambda _: Passed(), needs=("a",))
    results = run_until_healthy([failing(100), needy], live, timedelta(milliseconds=1), reported.append)
    assert [result.outcome for result in results] == [Failed("not yet"), Skipped("a did not pass")]
    assert reported == []
