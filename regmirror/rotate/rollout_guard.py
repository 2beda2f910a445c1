"""Checks before a change whether the cluster can replace the pods that this change affects."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from regmirror.errors import RolloutBlockedError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import Cluster
from regmirror.rotate.plan import Action
from regmirror.rotate.rotation_state import Mode
from regmirror.rotate.state import ObservedState
from regmirror.steps.clock import Clock
from regmirror.workloads.rollout_blockers import RolloutBlocker, rollout_blockers

QUOTA_LAG = timedelta(seconds=10)
"""A quota counts pods that have ended with a delay."""
_POLL = 0.5

ReleaseGroup = tuple[str, ...]
"""Releases whose pods are replaced at the same time."""


def releases_to_roll(action: Action, live: ObservedState, mode: Mode) -> ReleaseGroup:
    """The releases whose pods an action replaces, or makes the next action replace."""
    registries = tuple(registry.release for registry in live.registries)
    match action:
        case Action.REPLACE_KEY | Action.REMOVE_OLD_CERTS | Action.ROLL_OUT_ALL if mode is Mode.EMERGENCY:
            return (live.auth.release, *registries)
        case Action.ADD_CERT | Action.ROLL_OUT_REGISTRIES | Action.REMOVE_OLD_CERTS:
            return registries
        case Action.REPLACE_KEY | Action.ROLL_OUT_AUTH:
            return (live.auth.release,)
        case _:
            return ()


async def ensure_can_roll(
    cluster: AsyncCluster, groups: Sequence[ReleaseGroup], clock: Clock, waiting: Callable[[str], None] | None = None
) -> None:
    """Raises RolloutBlockedError, naming each object that blocks one of these rollouts.

    With ``waiting``, which receives the reason, it is raised only after some seconds.
    """
    ends = clock.now() + (QUOTA_LAG if waiting else timedelta(0))
    while blockers := await cluster.run(_blockers, groups):
        if waiting is None or clock.now() >= ends:
            raise RolloutBlockedError(
                "\n  ".join(["cannot replace the mirror's pods:", *(blocker.message for blocker in blockers)]),
                hint="; ".join(dict.fromkeys(blocker.hint for blocker in blockers)),
            )
        waiting(blockers[0].message)
        await clock.sleep(_POLL)


def _blockers(cluster: Cluster, groups: Sequence[ReleaseGroup]) -> list[RolloutBlocker]:
    """What blocks these rollouts, without duplicates."""
    return list(dict.fromkeys(blocker for group in groups for blocker in rollout_blockers(cluster, group)))
