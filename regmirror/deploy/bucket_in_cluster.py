"""The step that checks and claims a bucket which only pods can reach."""

import asyncio
from dataclasses import dataclass, replace

from regmirror.deploy.bucket import BucketStep
from regmirror.deploy.diff_changes import StepDiff
from regmirror.deploy.namespace import NAMESPACE_STEP
from regmirror.deploy.ownership import Ownership
from regmirror.desired.mirror_secrets import Account
from regmirror.ports.cluster import missing_rights
from regmirror.ports.connections import Connections
from regmirror.steps.step import Done, Waiting
from regmirror.workloads.proxy_pod import PORT, PROXY_RIGHTS, running_proxy


@dataclass(frozen=True, slots=True)
class BucketInClusterStep:
    """What BucketStep and OwnershipStep do, through a short-lived pod in the mirror's namespace."""

    connections: Connections
    account: Account | None
    ownership: Ownership
    name: str = "bucket"
    title: str = "Bucket"
    needs: tuple[str, ...] = (NAMESPACE_STEP,)

    async def apply(self, progress: Waiting) -> Done:
        """Raises StorageError or ClusterError."""
        cluster, mirror = self.connections.cluster, self.connections.mirror
        if missing := await cluster.run(missing_rights, PROXY_RIGHTS):
            return Done(f"not checked: {self._unreachable()}, and {missing}", skipped=True)
        async with running_proxy(mirror, cluster, progress.waiting) as pod:
            progress.waiting(f"{mirror.storage.place}, through pod {pod}")
            return await asyncio.to_thread(self._check, pod)

    async def diff(self) -> StepDiff:
        """Nothing is created to look."""
        return StepDiff(f"not checked: {self._unreachable()}; deploy checks it from a pod")

    def _check(self, pod: str) -> Done:
        with self.connections.open_store_through(self.account, pod, PORT) as store:
            done = BucketStep(self.connections.mirror, store).ensure()
            written = replace(self.ownership, store=store).write()
        return replace(done, detail=f"{done.detail}, checked from a pod", changed=done.changed or bool(written))

    def _unreachable(self) -> str:
        return f"this machine cannot reach {self.connections.mirror.storage.endpoint or 'AWS'}"
