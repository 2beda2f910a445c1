"""The steps under everything else: bucket, namespace, Secrets."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from regmirror.config.model import Mirror
from regmirror.deploy.steps import Done, Progress
from regmirror.errors import BucketMissingError, StorageUnreachableError
from regmirror.ports.cluster import NAMESPACE, Applied, Cluster, Object
from regmirror.ports.object_store import ObjectStore
from regmirror.stack import names
from regmirror.stack.secrets import Manifest

NAMESPACE_STEP = "namespace"
SECRETS_STEP = "secrets"
BUCKET_STEP = "bucket"


@dataclass(frozen=True, slots=True)
class BucketStep:
    """Proves that the bucket can be used, and creates it where it is missing and the configuration asks for it."""

    mirror: Mirror
    store: ObjectStore
    name: str = BUCKET_STEP
    title: str = "S3 bucket"
    needs: tuple[str, ...] = ()

    async def apply(self, progress: Progress) -> Done:  # noqa: ARG002 - over too soon to report on
        """Raises StorageError."""
        return await asyncio.to_thread(self._ensure)

    def _ensure(self) -> Done:
        storage = self.mirror.storage
        try:
            self.store.check_bucket()
        except BucketMissingError:
            if not storage.create_bucket:
                raise
            self.store.create_bucket()
            self.store.check_bucket()
            return Done(f"{storage.bucket} created", changed=True)
        except StorageUnreachableError:
            if not storage.is_inside_cluster:
                raise
            return Done(f"not looked at: {storage.endpoint} is an address inside the cluster")
        return Done(storage.bucket)


@dataclass(frozen=True, slots=True)
class NamespaceStep:
    """Creates the namespace where it is missing; an existing one is left as it is."""

    cluster: Cluster
    needs: tuple[str, ...]
    name: str = NAMESPACE_STEP
    title: str = "Namespace"

    async def apply(self, progress: Progress) -> Done:  # noqa: ARG002 - over too soon to report on
        """Raises ClusterError."""
        namespace = self.cluster.namespace
        if await asyncio.to_thread(self.cluster.get, NAMESPACE, namespace):
            return Done(namespace)
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        await asyncio.to_thread(self.cluster.apply, manifest)
        return Done(f"{namespace} created", changed=True)


def unless_rotated(manifests: list[Manifest], live: Mapping[str, Object]) -> list[Manifest]:
    """The manifests, those that a rotation changes bound to the versions that were read.

    A deployment that runs beside a rotation is refused by the API server then, instead of bringing the old key back.
    """
    return [_bound(manifest, live.get(manifest["metadata"]["name"])) for manifest in manifests]


def _bound(manifest: Manifest, live: Object | None) -> Manifest:
    if live is None or manifest["metadata"]["name"] not in {names.SIGNING_SECRET, names.BUNDLE_SECRET}:
        return manifest
    return manifest | {
        "metadata": manifest["metadata"] | {"resourceVersion": live["metadata"]["resourceVersion"]},
    }


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
