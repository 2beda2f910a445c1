"""The steps that take a mirror away; each does nothing where its part is gone already."""

import asyncio
from collections import Counter
from dataclasses import dataclass

from regmirror.deploy.prune import remove_release
from regmirror.desired import names
from regmirror.destroy.data import MirrorData
from regmirror.destroy.inventory import Inventory
from regmirror.destroy.namespace import fate_of
from regmirror.errors import ClusterError, StorageError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import LEASE, NAMESPACE, SECRET, Kind
from regmirror.ports.connections import Connections
from regmirror.ports.helm import Helm
from regmirror.steps.step import Done, Step, Waiting

_POLL = 0.5
_DATA = "data"
_SECRETS = "secrets"


def destroy_steps(inventory: Inventory, connections: Connections, data: MirrorData | None) -> list[Step]:
    """What takes everything of the inventory away; and the data, unless it is None."""
    public_endpoint = [name for name in inventory.releases if name == names.INGRESS]
    behind = [name for name in (*inventory.releases, *inventory.draining) if name != names.INGRESS]
    # Clients leave first: whoever still pulls finds no half of a mirror.
    steps: list[Step] = [ReleaseRemoval(name, connections.cluster, connections.helm, ()) for name in public_endpoint]
    steps += [ReleaseRemoval(name, connections.cluster, connections.helm, tuple(public_endpoint)) for name in behind]
    releases = tuple(step.name for step in steps)
    if data:
        steps.append(DataRemoval(data, releases))
    deleted = [*((SECRET, name) for name in inventory.secrets), *((LEASE, name) for name in inventory.leases)]
    # Pods need them until they end.
    steps.append(ObjectRemoval(tuple(deleted), connections.cluster, tuple(step.name for step in steps)))
    steps.append(NamespaceRemoval(connections.cluster, (_SECRETS,)))
    return steps


@dataclass(frozen=True, slots=True)
class ReleaseRemoval:
    """Uninstalls a Helm release and waits until its pods are gone."""

    name: str
    cluster: AsyncCluster
    helm: Helm
    needs: tuple[str, ...]

    @property
    def title(self) -> str:
        """The name of the release."""
        return self.name

    async def apply(self, progress: Waiting) -> Done:
        """Raises HelmError or ClusterError."""
        await remove_release(self.name, self.helm, self.cluster, progress.waiting)
        return Done("removed", changed=True)


@dataclass(frozen=True, slots=True)
class ObjectRemoval:
    """Deletes what deploy and rotate-cert write without Helm."""

    objects: tuple[tuple[Kind, str], ...]
    cluster: AsyncCluster
    needs: tuple[str, ...]
    name: str = _SECRETS
    title: str = "Secrets"

    async def apply(self, progress: Waiting) -> Done:
        """Raises ClusterError."""
        for number, (kind, name) in enumerate(self.objects):
            progress.waiting(f"{kind.kind} {name}")
            try:
                await self.cluster.delete(kind, name)
            except ClusterError as error:
                error.left_changes = number > 0
                raise
        kinds = Counter(kind.kind for kind, _ in self.objects)
        removed = ", ".join(f"{number} {kind}{'s' * (number > 1)}" for kind, number in kinds.items())
        return Done(f"{removed or 'nothing'} removed", changed=bool(self.objects))


@dataclass(frozen=True, slots=True)
class NamespaceRemoval:
    """Deletes the namespace if deploy has made it and nothing of others is in it, and waits until it is gone."""

    cluster: AsyncCluster
    needs: tuple[str, ...]
    name: str = "namespace"
    title: str = "Namespace"

    async def apply(self, progress: Waiting) -> Done:
        """Raises ClusterError."""
        # Looked at anew: somebody may have put something there in the meantime.
        fate = await self.cluster.run(fate_of)
        if not fate.goes:
            return Done(f"{fate.name} stays: {fate.reason}" if fate.exists else f"{fate.name} is gone")
        await self.cluster.delete(NAMESPACE, fate.name)
        while await self.cluster.get(NAMESPACE, fate.name):
            progress.waiting(f"{fate.name} is going")
            await asyncio.sleep(_POLL)
        return Done(f"{fate.name} removed", changed=True)


@dataclass(frozen=True, slots=True)
class DataRemoval:
    """Deletes the mirror's objects from the bucket, after the pods that would write more."""

    data: MirrorData
    needs: tuple[str, ...]
    name: str = _DATA
    title: str = "Data"

    async def apply(self, progress: Waiting) -> Done:
        """Raises StorageError."""
        removed = 0
        try:
            while gone := await asyncio.to_thread(self.data.purge):
                removed += gone
                progress.waiting(f"{removed:,} objects removed")
        except StorageError as error:
            error.left_changes = removed > 0
            raise
        return Done(f"{removed:,} objects removed", changed=removed > 0)
