"""The plan of a rotation: from what the cluster shows to what is to be done next. Pure.

A regular rotation, by what is seen (the first line that fits is what is done; docs/rotation.md has it in words):

======================================================  ==============================
the bundle lacks the key in use or its successor        TRUST: add it
a registry pod runs with another bundle                 ROLL_REGISTRIES, until it is gone
the old key signs, and no proof was made in this run    PROVE, on every registry pod
the old key signs                                       SWAP: replace the signing Secret
a docker_auth pod runs with another key                 ROLL_AUTH, until it is gone
docker_auth was not yet seen to sign by the new key     MARK: see it, note the time
tokens of the old key may be valid                      WAIT, until they are not
the bundle has other keys than the new one              DROP them
none of these                                           FINISH: ask every pod, end it
======================================================  ==============================
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from enum import Enum

from regmirror.rotate.rotation_state import Mode, RotationState


class Action(Enum):
    """One thing to do; doing it again does no harm."""

    TRUST = "trust"
    ROLL_REGISTRIES = "roll-registries"
    PROVE = "prove"
    SWAP = "swap"
    ROLL_AUTH = "roll-auth"
    ROLL_ALL = "roll-all"
    MARK = "mark"
    WAIT = "wait"
    DROP = "drop"
    FINISH = "finish"


def next_action(seen: RotationState, now: datetime) -> Action:
    """What is to be done next; ``now`` is in UTC."""
    return {Mode.REGULAR: _regular, Mode.EMERGENCY: _emergency, Mode.ABORT: _abort}[seen.mode](seen, now)


def rest_of_plan(seen: RotationState, now: datetime) -> Iterator[Action]:
    """Every action from here to the end, if each does what it is to do and nobody interferes."""
    action = next_action(seen, now)
    while action is not Action.FINISH:
        yield action
        if action is Action.WAIT and seen.old_tokens_end:
            now = seen.old_tokens_end
        seen = after(action, seen, now)
        action = next_action(seen, now)
    yield action


def after(action: Action, seen: RotationState, now: datetime) -> RotationState:
    """The situation once an action has been carried out."""
    match action:
        case Action.TRUST:
            both = seen.trusted | {seen.signing, seen.successor}
            return replace(seen, trusted=both, registries_current=False)
        case Action.DROP:
            return replace(seen, trusted=frozenset({seen.remaining}), registries_current=False)
        case Action.SWAP:
            return replace(seen, signing=seen.successor, auth_current=False)
        case Action.ROLL_REGISTRIES:
            return replace(seen, registries_current=True)
        case Action.ROLL_AUTH:
            return replace(seen, auth_current=True)
        case Action.ROLL_ALL:
            return replace(seen, registries_current=True, auth_current=True)
        case Action.PROVE:
            return replace(seen, proven=True)
        case Action.MARK:
            return replace(seen, in_use_since=now)
        case Action.WAIT | Action.FINISH:
            return seen


def _regular(seen: RotationState, now: datetime) -> Action:
    if not {seen.signing, seen.successor} <= seen.trusted:
        return Action.TRUST
    if not seen.registries_current:
        return Action.ROLL_REGISTRIES
    if seen.signing != seen.successor:
        return Action.SWAP if seen.proven else Action.PROVE
    if not seen.auth_current:
        return Action.ROLL_AUTH
    if seen.old_tokens_end is None:
        return Action.MARK
    if now < seen.old_tokens_end:
        return Action.WAIT
    return _dropped_or_finished(seen)


def _emergency(seen: RotationState, _: datetime) -> Action:
    # The signing Secret goes first: a deploy in between adds its key to the bundle, and must not find the old one.
    if seen.signing != seen.successor:
        return Action.SWAP
    if seen.trusted != {seen.successor}:
        return Action.DROP
    return Action.FINISH if seen.registries_current and seen.auth_current else Action.ROLL_ALL


def _abort(seen: RotationState, _: datetime) -> Action:
    action = _dropped_or_finished(seen)
    if action is Action.FINISH and not seen.registries_current:
        return Action.ROLL_REGISTRIES
    return action


def _dropped_or_finished(seen: RotationState) -> Action:
    return Action.FINISH if seen.trusted == {seen.remaining} else Action.DROP
