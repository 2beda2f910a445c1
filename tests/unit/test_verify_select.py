"""Which checks are run: those that are asked for, with what they need; and how often."""

from __future__ import annotations

from datetime import timedelta

import pytest

from regmirror.errors import ConfigurationError
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, Skipped, Stage
from regmirror.verify.checks import CHECKS
from regmirror.verify.live_mirror import LiveMirror
from regmirror.verify.patience import run_until_healthy
from regmirror.verify.select import select_checks
from tests.unit.deployed import deployed


def test_all_are_chosen_where_none_is_named() -> None:
    chosen = select_checks(CHECKS, before_deploy=False)
    assert chosen == [check for check in CHECKS if check.stage is not Stage.BEFORE]


def test_a_check_brings_what_it_needs_in_the_order_of_all() -> None:
    chosen = [check.id for check in select_checks(CHECKS, ["token-bundle"], before_deploy=False)]
    assert chosen == ["cluster-api", "cluster-permissions", "token-key-pair", "token-bundle"]


def test_a_category_brings_what_its_checks_need() -> None:
    chosen = select_checks(CHECKS, categories=[Category.CACHE], before_deploy=False)
    assert {check.id for check in CHECKS if check.category is Category.CACHE} <= {check.id for check in chosen}
    assert {need for check in chosen for need in check.needs} <= {check.id for check in chosen}
    assert Category.CLIENTS not in {check.category for check in chosen}


def test_before_the_first_deploy_nothing_is_asked_of_a_mirror() -> None:
    chosen = [check.id for check in select_checks(CHECKS, before_deploy=True)]
    assert chosen == [
        "cluster-api",
        "cluster-version",
        "cluster-permissions",
        "cluster-versions",
        "config-patterns",
        "storage-key",
    ]


def test_an_id_that_is_none_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigurationError) as caught:
        select_checks(CHECKS, ["tls-hots"], before_deploy=False)
    assert "tls-host" in str(caught.value.hint)


def subject() -> LiveMirror:
    return deployed().subject()


def failing(times: int) -> Check:
    """A check that fails so many times."""
    left = [times]

    def run(_: LiveMirror) -> Outcome:
        left[0] -= 1
        return Failed("not yet") if left[0] >= 0 else Passed()

    return Check("a", "title", Category.CLUSTER, run)


def test_patience_ends_with_the_first_healthy_round() -> None:
    told: list[str] = []
    needy = Check("b", "title", Category.CLUSTER, lambda _: Passed(), needs=("a",))
    results = run_until_healthy([failing(1), needy], subject, timedelta(minutes=1), told.append)
    assert [result.outcome for result in results] == [Passed(), Passed()]
    assert told == ["waiting for a"]


def test_patience_that_is_over_gives_the_last_round() -> None:
    told: list[str] = []
    needy = Check("b", "title", Category.CLUSTER, lambda _: Passed(), needs=("a",))
    results = run_until_healthy([failing(100), needy], subject, timedelta(milliseconds=1), told.append)
    assert [result.outcome for result in results] == [Failed("not yet"), Skipped("needs a")]
    assert told == []
