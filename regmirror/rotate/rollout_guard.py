"""Whether the cluster lets the pods be replaced that a change is for; asked before that change."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from regmirror.errors import RolloutBlockedError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import Cluster
from regmirror.rotate.clock import Clock
from regmirror.rotate.plan import Action
from regmirror.rotate.rotation_state import Mode
from regmirror.rotate.state import ObservedState
from regmirror.workloads.rollout_blockers import RolloutBlocker, rollout_blockers

PATIENCE = timedelta(seconds=10)
"""A quota hears of pods that have ended a moment later."""
_POLL = 0.5

Together = tuple[str, ...]
"""Releases whose pods are replaced side by side."""


def replaced_by(action: Action, live: ObservedState, mode: Mode) -> Together:
    """The releases whose pods an action replaces, or makes the next one replace."""
    registries = tuple(one.release for one in live.registries)
    match action:
        case Action.SWAP | Action.DROP | Action.ROLL_ALL if mode is Mode.EMERGENCY:
            return (live.auth.release, *registries)
        case Action.TRUST | Action.ROLL_REGISTRIES | Action.DROP:
            return registries
        case Action.SWAP | Action.ROLL_AUTH:
            return (live.auth.release,)
        case _:
            return ()


async def ensure_can_roll(
    cluster: AsyncCluster, together: Sequence[Together], clock: Clock, waiting: Callable[[str], None] | None = None
) -> None:
    """Raises RolloutBlockedError, naming each object that is in the way of any of these replacements.

    With ``waiting``, which hears why, only after some seconds.
    """
    ends = clock.now() + (PATIENCE if waiting else timedelta(0))
    while found := await cluster.run(_found, together):
        if waiting is None or clock.now() >= ends:
            raise RolloutBlockedError(
                "\n  ".join(["the mirror's pods cannot be replaced one by one:", *(one.message for one in found)]),
                hint="; ".join(dict.fromkeys(one.hint for one in found)),
            )
        waiting(found[0].message)
        await clock.sleep(_POLL)


def _found(cluster: Cluster, together: Sequence[Together]) -> list[RolloutBlocker]:
    """What is in the way, each told once."""
    return list(dict.fromkeys(one for releases in together for one in rollout_blockers(cluster, releases)))
