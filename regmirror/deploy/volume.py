"""The step that checks the volumes of a mirror without a bucket."""

import asyncio
from dataclasses import dataclass

from regmirror.config.filesystem import Filesystem
from regmirror.config.model import Mirror
from regmirror.deploy.diff_changes import StepDiff
from regmirror.ports.cluster import Cluster
from regmirror.steps.step import Done, Waiting
from regmirror.workloads.volume import check_volumes


@dataclass(frozen=True, slots=True)
class VolumeStep:
    """Checks that the volumes exist or can be created; the releases of the registries create them."""

    mirror: Mirror
    filesystem: Filesystem
    cluster: Cluster
    name: str = "volume"
    title: str = "Volume"
    needs: tuple[str, ...] = ()

    async def apply(self, progress: Waiting) -> Done:
        """Raises VolumeError or ClusterError."""
        progress.waiting(self.mirror.storage.place)
        return Done(await asyncio.to_thread(check_volumes, self.mirror, self.filesystem, self.cluster))

    async def diff(self) -> StepDiff:
        """Raises VolumeError or ClusterError."""
        return StepDiff(await asyncio.to_thread(check_volumes, self.mirror, self.filesystem, self.cluster))
