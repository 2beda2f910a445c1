"""A rotation that is killed after any of its calls: no pull fails, and the next run completes it."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from itertools import count

import pytest

from regmirror.rotate.options import RotationOptions
from regmirror.rotate.rotation_state import Mode
from tests import samples
from tests.unit import rotating
from tests.unit.rotating import FORCED, NOT_YET, RotationHarness, with_options

OLD, NEW = (RotationHarness.id_of_sample(serial) for serial in (1, 2))
EMERGENCY = with_options(mode=Mode.EMERGENCY)
ABORT = RotationOptions(NOT_YET.threshold, mode=Mode.ABORT)
rotate_until_killed = partial(rotating.rotate_until_killed, reads_count=bool(os.environ.get("REGMIRROR_LONG")))


def each_killed_rotation(
    options: RotationOptions, prepare: Callable[[RotationHarness], object] = lambda _: None
) -> list[RotationHarness]:
    """A mirror for each number of calls after which a rotation can be killed."""
    killed: list[RotationHarness] = []
    for allowed_calls in count():
        env = RotationHarness()
        prepare(env)
        if not rotate_until_killed(env, allowed_calls, options):
            return killed
        killed.append(env)
    raise AssertionError


def assert_completed(env: RotationHarness) -> None:
    """One key signs, only that key is trusted, every pod uses it, and the rotation has left nothing behind."""
    assert env.next_key is None
    assert env.trusted == {env.key}
    assert env.pull()
    assert not env.rotate(NOT_YET).changed


@pytest.mark.parametrize("deploys_between", [False, True])
def test_a_regular_rotation(deploys_between: bool) -> None:
    mirrors = each_killed_rotation(FORCED)
    assert len(mirrors) > 10
    for env in mirrors:
        assert env.pull()
        assert env.all_tokens_accepted()
        if deploys_between:
            before = (env.key, env.next_key)
            env.deploy()
            assert (env.key, env.next_key) == before
            assert env.pull()
        was_begun = env.next_key is not None
        env.rotate(NOT_YET)
        assert_completed(env)
        assert env.key in ({NEW} if was_begun else {OLD, NEW})


@pytest.mark.parametrize("deploys_between", [False, True])
def test_an_emergency(deploys_between: bool) -> None:
    for env in each_killed_rotation(EMERGENCY):
        old_token = env.token_of(samples.key_pair(1))
        if deploys_between:
            env.deploy()
        was_begun = env.next_key is not None
        env.rotate(NOT_YET)
        assert_completed(env)
        if was_begun:
            assert env.key == NEW
            assert not any(env.cluster.accepted(old_token))


def begin(calls: int) -> Callable[[RotationHarness], object]:
    return lambda env: rotate_until_killed(env, calls)


def test_an_abort_at_every_point_that_allows_it() -> None:
    possible = [
        allowed_calls
        for allowed_calls, env in enumerate(each_killed_rotation(FORCED))
        if env.next_key and env.key == OLD
    ]
    assert len(possible) > 2
    for allowed_calls in possible:
        env = RotationHarness()
        rotate_until_killed(env, allowed_calls)
        env.rotate(ABORT)
        assert env.key == OLD
        assert_completed(env)


def test_an_abort_that_is_killed_itself() -> None:
    replaced = next(calls for calls, env in enumerate(each_killed_rotation(FORCED)) if env.key == NEW)
    for env in each_killed_rotation(ABORT, begin(replaced - 1)):
        assert env.pull()
        env.rotate(ABORT if env.next_key else NOT_YET)
        assert env.key == OLD
        assert_completed(env)
