"""The step that creates the namespace."""

from dataclasses import dataclass

from regmirror.deploy.diff_changes import Plan, creation
from regmirror.desired import names
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import NAMESPACE, Object
from regmirror.steps.step import Done, Waiting

NAMESPACE_STEP = "namespace"


@dataclass(frozen=True, slots=True)
class NamespaceStep:
    """Creates the namespace where it is missing; an existing one is left as it is."""

    cluster: AsyncCluster
    needs: tuple[str, ...]
    name: str = NAMESPACE_STEP
    title: str = "Namespace"

    async def apply(self, progress: Waiting) -> Done:
        """Raises ClusterError."""
        namespace = self.cluster.namespace
        progress.waiting(self.title, f"Namespace {namespace}")
        if await self.cluster.get(NAMESPACE, namespace):
            return Done(namespace)
        await self.cluster.apply(self._manifest())
        return Done(f"{namespace} created", changed=True)

    async def plan(self) -> Plan:
        """Raises ClusterError."""
        namespace = self.cluster.namespace
        if await self.cluster.get(NAMESPACE, namespace):
            return Plan(namespace)
        return Plan(f"{namespace} would be created", True, (creation(self._manifest(), was_there=False),))

    def _manifest(self) -> Object:
        # By its labels destroy knows whose it is.
        metadata = {"name": self.cluster.namespace, "labels": names.labels("namespace")}
        return {"apiVersion": NAMESPACE.api_version, "kind": NAMESPACE.kind, "metadata": metadata}
