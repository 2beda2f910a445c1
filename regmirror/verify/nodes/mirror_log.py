"""Reads from the pods of the mirror which probes have arrived."""

import asyncio
from collections.abc import Iterable, Sequence

from regmirror.desired import names
from regmirror.distribution.client import AccessDeniedError, ManifestMissingError, RegistryClient
from regmirror.distribution.reference import ImageReference
from regmirror.errors import ClusterError, RegistryError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import POD
from regmirror.ports.connections import Connections
from regmirror.steps.clock import Clock
from regmirror.verify.live_mirror import NotDeployedError
from regmirror.verify.nodes.probe import TAG_PREFIX, Target, new_id
from regmirror.verify.nodes.sightings import Sighting, parse_sightings

_LINES = 2000
"""Of a log: the front writes at most 100 a second for probes."""
_ROUNDS = 20


class MirrorLog:
    """The requests for probes that reached the mirror so far, by id."""

    def __init__(self, cluster: AsyncCluster, upstreams: Iterable[str]) -> None:
        self._cluster = cluster
        self._releases = [names.registry(upstream) for upstream in dict.fromkeys(upstreams)]
        self._seen: dict[str, dict[Sighting, None]] = {}

    def sightings(self, id_: str) -> tuple[Sighting, ...]:
        """The different requests for a probe, in their order."""
        return tuple(self._seen.get(id_, ()))

    async def read(self) -> None:
        """Read the logs of all pods, also of those that are stopping: they still serve."""
        for release in self._releases:
            pods = await self._cluster.select(POD, f"app.kubernetes.io/instance={release}")
            if not pods:
                hint = "deploy the mirror: regmirror deploy"
                raise NotDeployedError(f"namespace {self._cluster.namespace} has no pod of {release}", hint=hint)
            for log in await asyncio.gather(*(self._log(pod["metadata"]["name"]) for pod in pods)):
                for sighting in parse_sightings(log):
                    self._seen.setdefault(sighting.id, {})[sighting] = None

    async def _log(self, pod: str) -> str:
        try:
            return await asyncio.to_thread(self._cluster.blocking.log, pod, names.FRONT_CONTAINER, _LINES)
        except ClusterError:
            # The pod is starting, or is gone since it was listed; the others are read.
            return ""


async def check_log(connections: Connections, log: MirrorLog, targets: Sequence[Target], clock: Clock) -> None:
    """Pull a probe through each public host, and find it in the log: otherwise every node would seem to bypass it.

    Raises RegistryError if the mirror does not answer, and NotDeployedError if the log does not have it.
    """
    ids = {new_id(): target for target in targets}
    for id_, target in ids.items():
        await asyncio.to_thread(_pull, connections, target, id_)
    for _ in range(_ROUNDS):
        await log.read()
        missing = [target for id_, target in ids.items() if not log.sightings(id_)]
        if not missing:
            return
        await clock.sleep(0.5)
    raise NotDeployedError(
        f"a pull through https://{missing[0].mirror} is not in the log of {names.registry(missing[0].upstream)}: the "
        "host leads to another mirror, or the mirror was deployed by an older regmirror",
        hint="deploy this version: regmirror deploy",
    )


def _pull(connections: Connections, target: Target, id_: str) -> None:
    client = RegistryClient(connections.http, f"https://{target.mirror}")
    try:
        token = client.pull_token(target.repository)
        client.manifest(ImageReference(target.repository, f"{TAG_PREFIX}{id_}"), token)
    except (ManifestMissingError, AccessDeniedError):
        # What the mirror refuses here, it may allow to a node, and it is in the log as well.
        return
    except RegistryError as error:
        error.hint = error.hint or "check the mirror: regmirror verify"
        raise
