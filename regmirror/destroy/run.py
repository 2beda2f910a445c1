"""A whole removal: look, tell, ask, remove; each part can be done again."""

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from regmirror.config.model import API_VERSION
from regmirror.deploy.rights import require_rights
from regmirror.desired.mirror_secrets import find_s3_account
from regmirror.destroy.data import MirrorData, data_of
from regmirror.destroy.inventory import Inventory, take_inventory
from regmirror.destroy.rights import destroy_rights
from regmirror.destroy.steps import destroy_steps
from regmirror.ports.connections import Connections
from regmirror.ports.object_store import Contents
from regmirror.steps.runner import run_steps
from regmirror.steps.step import Done, Progress, Step

_COUNTING = 30.0
"""Seconds for counting the objects of one upstream: a bucket of millions is not waited for."""


@dataclass(frozen=True, slots=True)
class Removal:
    """What is to be removed, and how much data goes with it; ``data`` is None where the bucket is left alone."""

    connections: Connections
    inventory: Inventory
    data: MirrorData | None
    contents: Contents | None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to remove."""
        return self.inventory.is_empty and not (self.contents and self.contents.objects)

    async def execute(self, progress: Progress, timeout: timedelta) -> dict[str, Any]:
        """Remove everything, ``timeout`` for all together; gives the report. Raises RegmirrorError."""
        steps = [] if self.is_empty else destroy_steps(self.inventory, self.connections, self.data)
        deadline = time.monotonic() + timeout.total_seconds()
        return self.report(steps, await run_steps(steps, progress, deadline, work="removal"))

    def report(self, steps: list[Step], results: list[Done]) -> dict[str, Any]:
        """What goes and what stays; and what was done, where it was."""
        kept = ", with all its data" if self.data is None else ", without the data of this mirror"
        return {
            "apiVersion": API_VERSION,
            "kind": "DestroyReport",
            "host": self.connections.mirror.host,
            "namespace": self.connections.cluster.namespace,
            "changed": any(result.changed for result in results),
            "goes": self.inventory.goes,
            "stays": [f"the bucket {self.connections.mirror.storage.bucket}{kept}", *self.inventory.stays],
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


async def plan_removal(connections: Connections, *, purge_data: bool) -> Removal:
    """What removing the mirror means; nothing is changed. Raises RegmirrorError."""
    await asyncio.gather(
        connections.helm.version(), connections.cluster.run(require_rights, destroy_rights(), "destroy")
    )
    # Before anything is removed: the key may be kept in the namespace of the mirror.
    data = await asyncio.to_thread(_data_of, connections) if purge_data else None
    inventory = await take_inventory(connections)
    contents = await asyncio.to_thread(data.measure, _COUNTING) if data else None
    return Removal(connections, inventory, data, contents)


def _data_of(connections: Connections) -> MirrorData:
    account = find_s3_account(connections.mirror, connections.resolver)
    return data_of(connections.mirror, connections.open_store(account))
