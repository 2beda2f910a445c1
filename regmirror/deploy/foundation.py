"""The steps under everything else: bucket, namespace, Secrets."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from regmirror.config.model import Mirror
from regmirror.deploy.diff_changes import Plan, counted, creation
from regmirror.deploy.diff_secrets import kept_keys, secret_change
from regmirror.desired import names
from regmirror.desired.secrets import Manifest
from regmirror.errors import BucketMissingError, ClusterError, StorageUnreachableError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import NAMESPACE, SECRET, Applied, Object
from regmirror.ports.object_store import ObjectStore
from regmirror.steps.step import Done, Waiting

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

    async def apply(self, progress: Waiting) -> Done:
        """Raises StorageError."""
        progress.waiting(self.title, f"{self.mirror.storage.bucket} at {self.mirror.storage.endpoint or 'AWS'}")
        return await asyncio.to_thread(self._ensure)

    async def plan(self) -> Plan:
        """Raises StorageError."""
        return await asyncio.to_thread(self._look)

    def _look(self) -> Plan:
        storage = self.mirror.storage
        try:
            # Nothing is written, not even the small object of a deployment.
            self.store.measure(storage.prefix, 0.0)
        except BucketMissingError:
            if not storage.create_bucket:
                raise
            return Plan(f"{storage.bucket} would be created", changed=True)
        except StorageUnreachableError:
            if not storage.is_inside_cluster:
                raise
            return Plan(f"not looked at: {storage.endpoint} is an address inside the cluster")
        return Plan(storage.bucket)

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


def with_resource_version(manifests: list[Manifest], live: Mapping[str, Object]) -> list[Manifest]:
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

    cluster: AsyncCluster
    manifests: list[Manifest]
    name: str = SECRETS_STEP
    title: str = "Secrets"
    needs: tuple[str, ...] = (NAMESPACE_STEP,)

    async def apply(self, progress: Waiting) -> Done:
        """Raises ClusterError."""
        outcomes: list[Applied] = []
        for manifest in self.manifests:
            progress.waiting(self.title, f"Secret {manifest['metadata']['name']}")
            try:
                outcomes.append(await self.cluster.apply(manifest))
            except ClusterError as error:
                error.left_changes = any(outcome is not Applied.UNCHANGED for outcome in outcomes)
                raise
        counts = [f"{outcomes.count(kind)} {kind.value}" for kind in Applied if kind in outcomes]
        return Done(", ".join(counts), changed=any(outcome is not Applied.UNCHANGED for outcome in outcomes))

    async def plan(self) -> Plan:
        """Raises ClusterError."""
        names_of_all = [manifest["metadata"]["name"] for manifest in self.manifests]
        live = await asyncio.gather(*(self.cluster.get(SECRET, name) for name in names_of_all))
        pairs = list(zip(self.manifests, live, strict=True))
        there = {_belonging(wanted) for wanted, has in pairs if has}
        changes = [
            secret_change(wanted, has) if has else creation(wanted, was_there=_belonging(wanted) in there)
            for wanted, has in pairs
        ]
        objects = tuple(change for change in changes if change)
        kept = tuple(kept for wanted, has in pairs if has for kept in kept_keys(wanted, has))
        return Plan(counted(objects), bool(objects), objects, kept)


def _belonging(secret: Manifest) -> str:
    """What a Secret comes and goes with: its upstream, or the mirror as a whole."""
    name = str(secret["metadata"]["name"])
    upstream = name.removesuffix("-config").removesuffix("-credential")
    is_of_upstream = secret["metadata"]["labels"] == names.labels("registry") and upstream != name
    return upstream if is_of_upstream else ""
