"""A whole removal: look, tell, ask, remove; each part can be done again."""

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from regmirror.config.model import API_VERSION, Mirror
from regmirror.deploy.preflight import require_rights
from regmirror.destroy.data import MirrorData
from regmirror.destroy.inventory import Inventory, take_inventory
from regmirror.destroy.rights import destroy_rights
from regmirror.destroy.steps import destroy_steps
from regmirror.ports.cluster import Cluster
from regmirror.ports.helm import Helm
from regmirror.ports.object_store import Contents
from regmirror.steps.runner import run_steps
from regmirror.steps.step import Done, Progress, Step

_COUNTING = 30.0
"""Seconds for counting the objects of one upstream: a bucket of millions is not waited for."""


@dataclass(frozen=True, slots=True)
class Removal:
    """What is to be removed, and how much data goes with it; ``data`` is None where the bucket is left alone."""

    mirror: Mirror
    cluster: Cluster
    helm: Helm
    inventory: Inventory
    data: MirrorData | None
    contents: Contents | None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to remove."""
        return self.inventory.is_empty and not (self.contents and self.contents.objects)

    async def carry_out(self, progress: Progress, timeout: timedelta) -> dict[str, Any]:
        """Remove everything, ``timeout`` for all together; gives the report. Raises RegmirrorError."""
        steps = [] if self.is_empty else destroy_steps(self.inventory, self.cluster, self.helm, self.data)
        deadline = time.monotonic() + timeout.total_seconds()
        return self.report(steps, await run_steps(steps, progress, deadline, work="removal"))

    def report(self, steps: list[Step], results: list[Done]) -> dict[str, Any]:
        """What goes and what stays; and what was done, where it was."""
        kept = ", with all its data" if self.data is None else ", without the data of this mirror"
        return {
            "apiVersion": API_VERSION,
            "kind": "DestroyReport",
            "host": self.mirror.host,
            "namespace": self.cluster.namespace,
            "changed": any(result.changed for result in results),
            "goes": self.inventory.goes,
            "stays": [f"the bucket {self.mirror.storage.bucket}{kept}", *self.inventory.stays],
            "data": self._data(),
            "steps": [
                {"name": step.name, "changed": result.changed, "detail": result.detail}
                for step, result in zip(steps, results, strict=True)
            ],
        }

    def _data(self) -> dict[str, Any] | None:
        if self.data is None or self.contents is None:
            return None
        return {
            "bucket": self.data.bucket,
            "prefixes": list(self.data.prefixes),
            "objects": self.contents.objects,
            "bytes": self.contents.size,
            "complete": self.contents.complete,
        }


async def look_at_removal(mirror: Mirror, cluster: Cluster, helm: Helm, data: MirrorData | None) -> Removal:
    """What removing the mirror means; nothing is changed. Raises RegmirrorError."""
    await asyncio.gather(helm.version(), asyncio.to_thread(require_rights, cluster, destroy_rights()))
    inventory = await take_inventory(mirror, cluster, helm)
    contents = await asyncio.to_thread(data.measure, _COUNTING) if data else None
    return Removal(mirror, cluster, helm, inventory, data, contents)
