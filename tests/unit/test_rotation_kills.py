"""A rotation that is killed after any of its calls: clients notice nothing, and the next run brings it to its end."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest

from regmirror.rotate.options import RotationOptions
from regmirror.rotate.rotation_state import Mode
from tests import samples
from tests.unit.rotating import FORCED, NOT_YET, Rotating, rotate_and_die, with_wish

OLD, NEW = (Rotating.id_of_sample(serial) for serial in (1, 2))
EMERGENCY = with_wish(mode=Mode.EMERGENCY)
ABORT = RotationOptions(NOT_YET.threshold, mode=Mode.ABORT)


def every_death(wish: RotationOptions, prepare: Callable[[Rotating], object] = lambda _: None) -> list[Rotating]:
    """A mirror for each number of calls after which a rotation can be killed."""
    found: list[Rotating] = []
    for lives in count():
        place = Rotating()
        prepare(place)
        if not rotate_and_die(place, lives, wish):
            return found
        found.append(place)
    raise AssertionError


def assert_settled(place: Rotating) -> None:
    """One key signs, the same alone is trusted, every pod runs with it, and nothing of the rotation is left."""
    assert place.successor is None
    assert place.trusted == {place.key}
    assert place.pull()
    assert not place.rotate(NOT_YET)["changed"]


@pytest.mark.parametrize("deploys_between", [False, True])
def test_a_regular_rotation(deploys_between: bool) -> None:
    deaths = every_death(FORCED)
    assert len(deaths) > 10
    for place in deaths:
        assert place.pull()
        assert place.all_tokens_accepted()
        if deploys_between:
            before = (place.key, place.successor)
            place.deploy()
            assert (place.key, place.successor) == before
            assert place.pull()
        was_begun = place.successor is not None
        place.rotate(NOT_YET)
        assert_settled(place)
        assert place.key in ({NEW} if was_begun else {OLD, NEW})


@pytest.mark.parametrize("deploys_between", [False, True])
def test_an_emergency(deploys_between: bool) -> None:
    for place in every_death(EMERGENCY):
        old_token = place.token_of(samples.key_pair(1))
        if deploys_between:
            place.deploy()
        was_begun = place.successor is not None
        place.rotate(NOT_YET)
        assert_settled(place)
        if was_begun:
            assert place.key == NEW
            assert not any(place.cluster.accepted(old_token))


def begin(calls: int) -> Callable[[Rotating], object]:
    return lambda place: rotate_and_die(place, calls)


def test_an_abort_at_every_point_that_allows_it() -> None:
    possible = [lives for lives, place in enumerate(every_death(FORCED)) if place.successor and place.key == OLD]
    assert len(possible) > 2
    for lives in possible:
        place = Rotating()
        rotate_and_die(place, lives)
        place.rotate(ABORT)
        assert place.key == OLD
        assert_settled(place)


def test_an_abort_that_is_killed_itself() -> None:
    swap = next(lives for lives, place in enumerate(every_death(FORCED)) if place.key == NEW)
    for place in every_death(ABORT, begin(swap - 1)):
        assert place.pull()
        place.rotate(ABORT if place.successor else NOT_YET)
        assert place.key == OLD
        assert_settled(place)
