"""The steps under everything else: namespace, bucket, Secrets."""

import asyncio
from dataclasses import dataclass

from regmirror.config.model import Mirror
from regmirror.deploy.steps import Done, Progress
from regmirror.errors import BucketMissingError
from regmirror.ports.cluster import NAMESPACE, Applied, Cluster
from regmirror.ports.object_store import ObjectStore
from regmirror.stack.secrets import Manifest

NAMESPACE_STEP = "namespace"
SECRETS_STEP = "secrets"
BUCKET_STEP = "bucket"


@dataclass(frozen=True, slots=True)
class NamespaceStep:
    """Creates the namespace where it is missing; an existing one is left as it is."""

    cluster: Cluster
    name: str = NAMESPACE_STEP
    title: str = "Namespace"
    needs: tuple[str, ...] = ()

    async def apply(self, progress: Progress) -> Done:  # noqa: ARG002 - over too soon to report on
        """Raises ClusterError."""
        namespace = self.cluster.namespace
        if await asyncio.to_thread(self.cluster.get, NAMESPACE, namespace):
            return Done(namespace)
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        await asyncio.to_thread(self.cluster.apply, manifest)
        return Done(f"{namespace} created", changed=True)


@dataclass(frozen=True, slots=True)
class BucketStep:
    """Creates the bucket where it is missing."""

    mirror: Mirror
    store: ObjectStore
    name: str = BUCKET_STEP
    title: str = "S3 bucket"
    needs: tuple[str, ...] = ()

    async def apply(self, progress: Progress) -> Done:  # noqa: ARG002 - over too soon to report on
        """Raises StorageError."""
        return await asyncio.to_thread(self._ensure)

    def _ensure(self) -> Done:
        bucket = self.mirror.storage.bucket
        try:
            self.store.check_bucket()
        except BucketMissingError:
            self.store.create_bucket()
            self.store.check_bucket()
            return Done(f"{bucket} created", changed=True)
        return Done(bucket)


@dataclass(frozen=True, slots=True)
class SecretsStep:
    """Applies every Secret of the mirror."""

    cluster: Cluster
    manifests: list[Manifest]
    name: str = SECRETS_STEP
    title: str = "Secrets"
    needs: tuple[str, ...] = (NAMESPACE_STEP,)

    async def apply(self, progress: Progress) -> Done:  # noqa: ARG002 - over too soon to report on
        """Raises ClusterError."""
        outcomes = [await asyncio.to_thread(self.cluster.apply, manifest) for manifest in self.manifests]
        counts = [f"{outcomes.count(kind)} {kind.value}" for kind in Applied if kind in outcomes]
        return Done(", ".join(counts), changed=any(outcome is not Applied.UNCHANGED for outcome in outcomes))
