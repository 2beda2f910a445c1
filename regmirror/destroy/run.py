"""A whole removal: plan it, show it, confirm it, execute it; each part can be repeated."""

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta

from regmirror.config.documents import StepReport
from regmirror.deploy.rights import require_rights
from regmirror.desired.mirror_secrets import find_s3_account
from regmirror.destroy.data import MirrorData, data_of
from regmirror.destroy.inventory import Inventory, take_inventory
from regmirror.destroy.report import DataReport, DestroyReport
from regmirror.destroy.rights import destroy_rights
from regmirror.destroy.steps import destroy_steps
from regmirror.destroy.volumes import has_own_volumes, require_own_volumes
from regmirror.errors import StorageUnreachableError
from regmirror.ports.connections import Connections
from regmirror.ports.object_store import Contents
from regmirror.steps.clock import Clock
from regmirror.steps.lease import Lease, this_process
from regmirror.steps.runner import run_steps
from regmirror.steps.step import Done, Progress

_COUNTING = 30.0
"""Seconds for counting the objects of one upstream: counting millions takes too long."""
_CLOCK = Clock()


@dataclass(frozen=True, slots=True)
class Removal:
    """What is removed, and how much data; ``data`` is None if the bucket is not touched."""

    connections: Connections
    inventory: Inventory
    data: MirrorData | None
    contents: Contents | None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to remove."""
        return self.inventory.is_empty and not (self.contents and self.contents.objects)

    async def execute(self, progress: Progress, timeout: timedelta, clock: Clock = _CLOCK) -> DestroyReport:
        """Remove everything within ``timeout``, holding the mirror's Lease, which goes last. Raises RegmirrorError."""
        if self.is_empty:
            return self._report([])
        lease = Lease(self.connections.cluster, this_process("destroy"), clock)
        steps = destroy_steps(self.inventory, self.connections, self.data, self.contents, lease)
        deadline = time.monotonic() + timeout.total_seconds()

        async def remove() -> list[Done]:
            return await run_steps(steps, progress, deadline, work="removal")

        # Only the data in the bucket can be left of a mirror whose namespace is gone.
        results = await (lease.hold(remove, progress) if self.inventory.namespace.exists else remove())
        return self._report(
            [
                StepReport(name=step.name, changed=result.changed, detail=result.detail)
                for step, result in zip(steps, results, strict=True)
            ]
        )

    def preview(self, *, dry_run: bool = True) -> DestroyReport:
        """What ``execute`` would remove."""
        return self._report([], dry_run=dry_run)

    def _report(self, steps: list[StepReport], *, dry_run: bool = False) -> DestroyReport:
        return DestroyReport(
            host=self.connections.mirror.endpoint,
            namespace=self.connections.cluster.namespace,
            context=self.connections.cluster.context,
            changed=any(step.changed for step in steps),
            dry_run=dry_run,
            removed=self.inventory.removed,
            kept=[*self._kept_bucket(), *self.inventory.kept],
            data=self._data(),
            steps=steps,
        )

    @property
    def purge_confirmation(self) -> tuple[str, str] | None:
        """What has to be typed to delete the data: a name, and what it is the name of; None if none is deleted."""
        if self.inventory.purged_volumes:
            return self.connections.cluster.namespace, "the namespace of its volumes"
        return (self.data.bucket, "the bucket name") if self.data else None

    def _kept_bucket(self) -> list[str]:
        storage = self.connections.mirror.storage
        if storage.filesystem:
            return []
        content = "with all its data" if self.data is None else "without the data of this mirror (it is removed)"
        return [f"the bucket {storage.bucket}, {content}"]

    def _data(self) -> DataReport | None:
        if self.data is None or self.contents is None:
            return None
        return DataReport(
            bucket=self.data.bucket,
            prefixes=list(self.data.prefixes),
            objects=self.contents.objects,
            bytes=self.contents.size,
            complete=self.contents.complete,
        )


async def plan_removal(connections: Connections, *, purge_data: bool) -> Removal:
    """Determine what to remove; nothing is changed. Raises RegmirrorError."""
    mirror = connections.mirror
    if purge_data:
        require_own_volumes(mirror)
    rights = connections.cluster.run(require_rights, destroy_rights(mirror), "destroy")
    await asyncio.gather(connections.helm.version(), rights)
    # Read before anything is removed: the key may be stored in the mirror's namespace.
    is_on_volumes = has_own_volumes(mirror)
    data = await asyncio.to_thread(_data_of, connections) if purge_data and not is_on_volumes else None
    inventory = await take_inventory(connections, purge_volumes=purge_data and is_on_volumes)
    contents = await asyncio.to_thread(data.measure, _COUNTING) if data else None
    return Removal(connections, inventory, data, contents)


def _data_of(connections: Connections) -> MirrorData:
    account = find_s3_account(connections.mirror, connections.resolver)
    data = data_of(connections.mirror, connections.open_store(account), connections.cluster.blocking)
    try:
        data.require_own()
    except StorageUnreachableError as error:
        # Unlike deploy, this is a plan, for which no pod is created.
        hint = "run it on a machine that reaches the store, or omit --purge-data"
        raise error.reworded(error.message, hint=hint) from error
    return data
