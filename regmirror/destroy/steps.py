"""The steps that remove a mirror; a step does nothing if its part is removed already."""

import asyncio
from dataclasses import dataclass

from regmirror.deploy.prune import remove_release
from regmirror.desired import names
from regmirror.destroy.data import MirrorData
from regmirror.destroy.inventory import Inventory
from regmirror.destroy.namespace import decide_namespace
from regmirror.destroy.volumes import VolumeRemoval
from regmirror.errors import ClusterError, StorageError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import NAMESPACE, SECRET
from regmirror.ports.connections import Connections
from regmirror.ports.helm import Helm
from regmirror.ports.object_store import Contents
from regmirror.steps.lease import Lease
from regmirror.steps.step import Done, Step, Waiting

_POLL = 0.5
_DATA = "data"
_SECRETS = "secrets"


def destroy_steps(
    inventory: Inventory,
    connections: Connections,
    data: MirrorData | None,
    announced: Contents | None,
    lease: Lease,
) -> list[Step]:
    """The steps that remove everything in the inventory, and the data unless it is None."""
    public_endpoint = [name for name in inventory.releases if name == names.INGRESS]
    components = [name for name in (*inventory.releases, *inventory.draining) if name != names.INGRESS]
    # The public endpoint comes first, so that no client meets a half-removed mirror.
    steps: list[Step] = [ReleaseRemoval(name, connections.cluster, connections.helm, ()) for name in public_endpoint]
    steps += [
        ReleaseRemoval(name, connections.cluster, connections.helm, tuple(public_endpoint)) for name in components
    ]
    releases = tuple(step.name for step in steps)
    if data and announced:
        steps.append(DataRemoval(data, announced, releases))
    if inventory.purged_volumes:
        steps.append(VolumeRemoval(inventory.purged_volumes, connections.cluster, releases))
    # Pods need them until they terminate.
    steps.append(SecretRemoval(inventory.secrets, connections.cluster, tuple(step.name for step in steps)))
    steps.append(NamespaceRemoval(connections.cluster, lease, (_SECRETS,)))
    return steps


@dataclass(frozen=True, slots=True)
class ReleaseRemoval:
    """Uninstalls a Helm release and waits until its pods have terminated."""

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
class SecretRemoval:
    """Deletes the Secrets that deploy and rotate-cert create without Helm."""

    secrets: tuple[str, ...]
    cluster: AsyncCluster
    needs: tuple[str, ...]
    name: str = _SECRETS
    title: str = "Secrets"

    async def apply(self, progress: Waiting) -> Done:
        """Raises ClusterError."""
        for number, name in enumerate(self.secrets):
            progress.waiting(f"Secret {name}")
            try:
                await self.cluster.delete(SECRET, name)
            except ClusterError as error:
                error.left_changes = number > 0
                raise
        number = len(self.secrets)
        return Done(f"{number} Secret{'s' * (number != 1)} removed", changed=number > 0)


@dataclass(frozen=True, slots=True)
class NamespaceRemoval:
    """Deletes the Lease; and the namespace, if deploy created it and it contains nothing else, until it is gone."""

    cluster: AsyncCluster
    lease: Lease
    needs: tuple[str, ...]
    name: str = "namespace"
    title: str = "Namespace"

    async def apply(self, progress: Waiting) -> Done:
        """Raises ClusterError."""
        # Decided again: somebody may have created something there in the meantime.
        decision = await self.cluster.run(decide_namespace)
        await self.lease.delete()
        if not decision.is_removed:
            return Done(f"{decision.name} kept: {decision.reason}" if decision.exists else "removed already")
        await self.cluster.delete(NAMESPACE, decision.name)
        while await self.cluster.get(NAMESPACE, decision.name):
            progress.waiting(f"waiting for {decision.name} to terminate")
            await asyncio.sleep(_POLL)
        return Done(f"{decision.name} removed", changed=True)


@dataclass(frozen=True, slots=True)
class DataRemoval:
    """Deletes the mirror's objects from the bucket, once no pod writes more.

    ``announced`` is what the user was shown; the mirror may have written more since.
    """

    data: MirrorData
    announced: Contents
    needs: tuple[str, ...]
    name: str = _DATA
    title: str = "Data"

    async def apply(self, progress: Waiting) -> Done:
        """Raises StorageError or ClusterError."""
        removed = 0
        # Checked again: somebody may have taken the data over while the removal was confirmed.
        await asyncio.to_thread(self.data.require_own)
        try:
            while deleted := await asyncio.to_thread(self.data.purge):
                removed += deleted
                progress.waiting(f"{removed:,} objects removed")
        except StorageError as error:
            error.left_changes = removed > 0
            raise
        return Done(f"{removed:,} objects removed{self._since_announced(removed)}", changed=removed > 0)

    def _since_announced(self, removed: int) -> str:
        newer = removed - self.announced.objects
        return f", {newer:,} of them written since they were counted" if self.announced.complete and newer > 0 else ""
