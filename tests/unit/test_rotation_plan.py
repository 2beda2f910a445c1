"""The plan of a rotation leads from every possible state to one trusted key, with safe steps only."""

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


def all_states() -> Iterator[RotationState]:
    """Every state that the cluster can be in, even one that other programs caused."""
    bundles = [frozenset(keys) for size in range(4) for keys in combinations((OLD, NEW, OTHER), size)]
    times = [None, samples.NOW, samples.NOW - timedelta(hours=1)]
    flags = (True, False)
    for mode, current, trusted, registries, auth, is_tested, since in product(
        Mode, (OLD, NEW), bundles, flags, flags, flags, times
    ):
        yield RotationState(mode, current, NEW, trusted, registries, auth, is_tested, since, LIFETIME)


def follow(seen: RotationState) -> Iterator[tuple[RotationState, Action]]:
    """Each state on the way to the end, with its action."""
    now = samples.NOW
    for action in islice(rest_of_plan(seen, now), LONGEST):
        yield seen, action
        seen = after(action, seen, now)


@pytest.mark.parametrize("mode", list(Mode))
def test_every_state_ends_with_one_trusted_key_in_use_everywhere(mode: Mode) -> None:
    for seen in (seen for seen in all_states() if seen.mode is mode):
        steps = list(follow(seen))
        end, last = steps[-1]
        assert last is Action.COMPLETE, seen
        assert end.trusted == {end.remaining}, seen
        assert end.registries_current, seen
        if mode is not Mode.ABORT:
            assert (end.current_key, end.auth_current) == (NEW, True), seen


def test_the_key_is_replaced_only_after_a_test_on_registries_that_all_trust_both_keys() -> None:
    for start in (seen for seen in all_states() if seen.mode is Mode.REGULAR):
        for seen, action in follow(start):
            if action is Action.REPLACE_KEY:
                assert seen.is_tested and seen.registries_current
                assert {OLD, NEW} <= seen.trusted


def test_the_old_certificate_is_removed_only_when_no_token_of_it_can_be_valid() -> None:
    waited = samples.NOW - LIFETIME - timedelta(seconds=60)
    for seen in (seen for seen in all_states() if seen.mode is Mode.REGULAR):
        if next_action(seen, samples.NOW) is Action.REMOVE_OLD_CERTS:
            assert seen.current_key == NEW and seen.auth_current
            assert seen.in_use_since is not None and seen.in_use_since <= waited


def test_an_abort_never_changes_the_current_key() -> None:
    harmless = {Action.REMOVE_OLD_CERTS, Action.ROLL_OUT_REGISTRIES, Action.COMPLETE}
    for start in (seen for seen in all_states() if seen.mode is Mode.ABORT):
        assert {action for _, action in follow(start)} <= harmless


def test_an_emergency_does_not_wait() -> None:
    for start in (seen for seen in all_states() if seen.mode is Mode.EMERGENCY):
        assert Action.WAIT not in {action for _, action in follow(start)}


def test_the_whole_plan_in_order() -> None:
    seen = RotationState.begun(
        Mode.REGULAR, OLD, frozenset({OLD}), LIFETIME, registries_current=True, auth_current=True
    )
    assert [action.value for action in rest_of_plan(seen, samples.NOW)] == [
        "add-certificate",
        "roll-out-registries",
        "test-next-key",
        "replace-key",
        "roll-out-auth",
        "confirm-key",
        "wait-for-old-tokens",
        "remove-old-certificates",
        "roll-out-registries",
        "complete",
    ]
