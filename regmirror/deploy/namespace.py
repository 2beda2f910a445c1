"""The step that creates the namespace."""

from dataclasses import dataclass

from regmirror.deploy.diff_changes import StepDiff, object_created
from regmirror.desired import names
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import NAMESPACE, Object
from regmirror.steps.lease import Lease
from regmirror.steps.step import Done, Waiting

NAMESPACE_STEP = "namespace"


@dataclass(frozen=True, slots=True)
class NamespaceStep:
    """Creates a missing namespace, and acquires its Lease; an existing one is not changed."""

    cluster: AsyncCluster
    needs: tuple[str, ...]
    lease: Lease | None = None
    """None only for a diff."""
    name: str = NAMESPACE_STEP
    title: str = "Namespace"

    async def apply(self, progress: Waiting) -> Done:
        """Raises ClusterError."""
        namespace = self.cluster.namespace
        progress.waiting(f"Namespace {namespace}")
        is_new = await self.cluster.get(NAMESPACE, namespace) is None
        if is_new:
            await self.cluster.apply(self._manifest())
        if self.lease:
            await self.lease.create()
        return Done(f"{namespace} created" if is_new else namespace, changed=is_new)

    async def diff(self) -> StepDiff:
        """Raises ClusterError."""
        namespace = self.cluster.namespace
        if await self.cluster.get(NAMESPACE, namespace):
            return StepDiff(namespace)
        return StepDiff(f"{namespace} would be created", True, (object_created(self._manifest(), was_there=False),))

    def _manifest(self) -> Object:
        # destroy removes only a namespace with these labels.
        metadata = {"name": self.cluster.namespace, "labels": names.labels("namespace")}
        return {"apiVersion": NAMESPACE.api_version, "kind": NAMESPACE.kind, "metadata": metadata}
