"""The plan of a rotation: derives the next action from the state of the cluster. Pure.

A regular rotation takes the first line that applies (docs/guides/rotate-the-signing-key.md has the same in words):

======================================================  =================================================
the bundle lacks the current or the next key            ADD_CERT: add it
a registry pod runs with another bundle                 ROLL_OUT_REGISTRIES, until no such pod is left
the old key signs and this run has not tested the next  TEST_NEXT_KEY on every registry pod
the old key signs                                       REPLACE_KEY in the signing Secret
a docker_auth pod runs with another key                 ROLL_OUT_AUTH, until no such pod is left
docker_auth was not yet seen to sign with the next key  CONFIRM_KEY: check it and record the time
tokens of the old key may still be valid                WAIT, until they have expired
the bundle has other keys than the next one             REMOVE_OLD_CERTS
none of these                                           COMPLETE: check every pod, end the rotation
======================================================  =================================================
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from enum import Enum

from regmirror.rotate.rotation_state import Mode, RotationState


class Action(Enum):
    """One action of a rotation; it can be repeated safely. The values appear in documents."""

    ADD_CERT = "add-certificate"
    ROLL_OUT_REGISTRIES = "roll-out-registries"
    TEST_NEXT_KEY = "test-next-key"
    REPLACE_KEY = "replace-key"
    ROLL_OUT_AUTH = "roll-out-auth"
    ROLL_OUT_ALL = "roll-out-all"
    CONFIRM_KEY = "confirm-key"
    WAIT = "wait-for-old-tokens"
    REMOVE_OLD_CERTS = "remove-old-certificates"
    COMPLETE = "complete"

    @property
    def changes_cluster(self) -> bool:
        """Whether the action writes something or replaces pods."""
        return self not in {Action.TEST_NEXT_KEY, Action.WAIT}

    @property
    def title(self) -> str:
        """What the action does, for people."""
        return _TITLES[self]


_TITLES = {
    Action.ADD_CERT: "Add the new certificate to the registries' trust bundle",
    Action.ROLL_OUT_REGISTRIES: "Restart the registry pods and wait for the old ones to drain",
    Action.TEST_NEXT_KEY: "Check that every registry pod accepts the new key",
    Action.REPLACE_KEY: "Replace the signing key of docker_auth",
    Action.ROLL_OUT_AUTH: "Restart the docker_auth pods and wait for the old ones to drain",
    Action.ROLL_OUT_ALL: "Restart all pods and wait for the old ones to drain",
    Action.CONFIRM_KEY: "Check that every docker_auth pod signs with the new key",
    Action.WAIT: "Wait for the tokens of the old key to expire",
    Action.REMOVE_OLD_CERTS: "Remove the old certificate from the trust bundle",
    Action.COMPLETE: "Check every pod again and complete the rotation",
}


def next_action(seen: RotationState, now: datetime) -> Action:
    """The next action; ``now`` is in UTC."""
    return {Mode.REGULAR: _regular, Mode.EMERGENCY: _emergency, Mode.ABORT: _abort}[seen.mode](seen, now)


def rest_of_plan(seen: RotationState, now: datetime) -> Iterator[Action]:
    """Every action from here to the end, if each one succeeds and nobody else changes the mirror."""
    action = next_action(seen, now)
    while action is not Action.COMPLETE:
        yield action
        if action is Action.WAIT and seen.old_tokens_end:
            now = seen.old_tokens_end
        seen = after(action, seen, now)
        action = next_action(seen, now)
    yield action


def after(action: Action, seen: RotationState, now: datetime) -> RotationState:
    """The state once an action has succeeded."""
    match action:
        case Action.ADD_CERT:
            both = seen.trusted | {seen.current_key, seen.next_key}
            return replace(seen, trusted=both, registries_current=False)
        case Action.REMOVE_OLD_CERTS:
            return replace(seen, trusted=frozenset({seen.remaining}), registries_current=False)
        case Action.REPLACE_KEY:
            return replace(seen, current_key=seen.next_key, auth_current=False)
        case Action.ROLL_OUT_REGISTRIES:
            return replace(seen, registries_current=True)
        case Action.ROLL_OUT_AUTH:
            return replace(seen, auth_current=True)
        case Action.ROLL_OUT_ALL:
            return replace(seen, registries_current=True, auth_current=True)
        case Action.TEST_NEXT_KEY:
            return replace(seen, is_tested=True)
        case Action.CONFIRM_KEY:
            return replace(seen, in_use_since=now)
        case Action.WAIT | Action.COMPLETE:
            return seen


def _regular(seen: RotationState, now: datetime) -> Action:
    if not {seen.current_key, seen.next_key} <= seen.trusted:
        return Action.ADD_CERT
    if not seen.registries_current:
        return Action.ROLL_OUT_REGISTRIES
    if seen.current_key != seen.next_key:
        return Action.REPLACE_KEY if seen.is_tested else Action.TEST_NEXT_KEY
    if not seen.auth_current:
        return Action.ROLL_OUT_AUTH
    if seen.old_tokens_end is None:
        return Action.CONFIRM_KEY
    if now < seen.old_tokens_end:
        return Action.WAIT
    return _remove_or_complete(seen)


def _emergency(seen: RotationState, _: datetime) -> Action:
    # The signing Secret comes first: a deploy in between adds the key of that Secret to the bundle, and must not find
    # the old one there.
    if seen.current_key != seen.next_key:
        return Action.REPLACE_KEY
    if seen.trusted != {seen.next_key}:
        return Action.REMOVE_OLD_CERTS
    return Action.COMPLETE if seen.registries_current and seen.auth_current else Action.ROLL_OUT_ALL


def _abort(seen: RotationState, _: datetime) -> Action:
    action = _remove_or_complete(seen)
    if action is Action.COMPLETE and not seen.registries_current:
        return Action.ROLL_OUT_REGISTRIES
    return action


def _remove_or_complete(seen: RotationState) -> Action:
    return Action.COMPLETE if seen.trusted == {seen.remaining} else Action.REMOVE_OLD_CERTS
