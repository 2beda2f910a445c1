"""The plan of a rotation: from every situation there can be to one trusted key, by safe steps alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations, islice, product

import pytest

from regmirror.rotate.plan import Action, after, next_action, rest_of_plan
from regmirror.rotate.rotation_state import Mode, RotationState
from tests import samples

OLD, NEW, OTHER = "old", "new", "other"
LIFETIME = timedelta(minutes=5)
LONGEST = 20


def all_situations() -> Iterator[RotationState]:
    """Every one that the cluster can show, whoever has brought it about."""
    bundles = [frozenset(keys) for size in range(4) for keys in combinations((OLD, NEW, OTHER), size)]
    times = [None, samples.NOW, samples.NOW - timedelta(hours=1)]
    flags = (True, False)
    for mode, signing, trusted, registries, auth, proven, since in product(
        Mode, (OLD, NEW), bundles, flags, flags, flags, times
    ):
        yield RotationState(mode, signing, NEW, trusted, registries, auth, proven, since, LIFETIME)


def follow(seen: RotationState) -> Iterator[tuple[RotationState, Action]]:
    """Each situation on the way to the end, with what is done in it."""
    now = samples.NOW
    for action in islice(rest_of_plan(seen, now), LONGEST):
        yield seen, action
        seen = after(action, seen, now)


@pytest.mark.parametrize("mode", list(Mode))
def test_every_situation_ends_with_one_trusted_key_in_use_everywhere(mode: Mode) -> None:
    for seen in (seen for seen in all_situations() if seen.mode is mode):
        steps = list(follow(seen))
        end, last = steps[-1]
        assert last is Action.FINISH, seen
        assert end.trusted == {end.remaining}, seen
        assert end.registries_current, seen
        if mode is not Mode.ABORT:
            assert (end.signing, end.auth_current) == (NEW, True), seen


def test_the_key_is_swapped_only_after_a_proof_on_registries_that_all_run_with_both() -> None:
    for start in (seen for seen in all_situations() if seen.mode is Mode.REGULAR):
        for seen, action in follow(start):
            if action is Action.SWAP:
                assert seen.proven and seen.registries_current
                assert {OLD, NEW} <= seen.trusted


def test_the_old_key_is_dropped_only_when_no_token_of_it_can_be_valid() -> None:
    waited = samples.NOW - LIFETIME - timedelta(seconds=60)
    for seen in (seen for seen in all_situations() if seen.mode is Mode.REGULAR):
        if next_action(seen, samples.NOW) is Action.DROP:
            assert seen.signing == NEW and seen.auth_current
            assert seen.in_use_since is not None and seen.in_use_since <= waited


def test_an_abort_never_touches_the_key_in_use() -> None:
    for start in (seen for seen in all_situations() if seen.mode is Mode.ABORT):
        assert {action for _, action in follow(start)} <= {Action.DROP, Action.ROLL_REGISTRIES, Action.FINISH}


def test_an_emergency_waits_for_nothing() -> None:
    for start in (seen for seen in all_situations() if seen.mode is Mode.EMERGENCY):
        assert Action.WAIT not in {action for _, action in follow(start)}


def test_the_whole_plan_in_its_order() -> None:
    seen = RotationState.begun(
        Mode.REGULAR, OLD, frozenset({OLD}), LIFETIME, registries_current=True, auth_current=True
    )
    assert [action.value for action in rest_of_plan(seen, samples.NOW)] == [
        "trust",
        "roll-registries",
        "prove",
        "swap",
        "roll-auth",
        "mark",
        "wait",
        "drop",
        "roll-registries",
        "finish",
    ]
