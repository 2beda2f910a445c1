"""Faults of the bucket."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from regmirror.desired import names
from regmirror.desired.ownership import Owner
from regmirror.desired.registry_config import blob_path
from regmirror.errors import BucketMissingError, StorageError, StorageUnreachableError
from regmirror.ports.cluster import POD, namespace_uids
from regmirror.ports.http import Answer
from tests import samples
from tests.fakes.redis_server import RedisServer
from tests.fakes.registry_host import digest_of
from tests.fakes.registry_pod import RegistryPod
from tests.unit.check_faults.table import FaultTable, answer, edit_registry, reconfigure
from tests.unit.deployed import REGISTRY, Deployed

WITH_KEY = {"bucket": "layers", "region": "here", "accessKey": {"id": {"env": "S3_ID"}, "secret": {"env": "S3_SECRET"}}}
fault = FaultTable()


@fault("storage-key", "refused")
def refused_key(mirror: Deployed) -> None:
    reconfigure(mirror, storage=WITH_KEY)
    mirror.store.failure = StorageError("refused", hint="check storage.accessKey")


@fault("storage-key", "does not exist")
def no_bucket_before_deploy(mirror: Deployed) -> None:
    reconfigure(mirror, storage=WITH_KEY)
    mirror.store.exists = False


@fault("storage-volume", "the cluster has no StorageClass fast")
def no_storage_class(mirror: Deployed) -> None:
    reconfigure(mirror, storage={"filesystem": {"size": "10Gi", "storageClass": "fast"}})


@fault("storage-bucket", "cannot list the bucket: it does not exist")
def no_bucket(mirror: Deployed) -> None:
    mirror.store.failure = BucketMissingError("cannot list the bucket: it does not exist")


@fault("storage-bucket", "no answer")
def unreachable_store(mirror: Deployed) -> None:
    mirror.store.failure = StorageUnreachableError("no answer")
    (pod,) = mirror.cluster.select(POD, f"app.kubernetes.io/instance={REGISTRY}")
    RegistryPod(trouble="no answer").listen(mirror.cluster, pod["metadata"]["name"])


@fault("storage-bucket", "the registry's configuration has no S3 key")
def no_key(mirror: Deployed) -> None:
    reconfigure(mirror, storage=WITH_KEY)
    edit_registry(mirror, lambda config: config["storage"]["s3"].pop("accesskey"))


def claim(mirror: Deployed, **changes: Any) -> None:
    """Record an owner of the data, this mirror except for the changes."""
    known = {"host": samples.HOST, "namespace": "regmirror", "uids": namespace_uids(mirror.cluster, "kube-system")}
    owner = Owner(**{**known, **changes}, claimed_at="2026-11-01T12:00:00Z", version="0.1.0")
    mirror.store.write("docker-hub/.regmirror-owner.json", owner.to_bytes())


@fault(
    "storage-owner",
    "docker-hub/ in the bucket layers belongs to other.example.com (namespace other of this cluster; claimed "
    "2026-11-01T12:00:00Z)",
)
def data_of_another_namespace(mirror: Deployed) -> None:
    claim(mirror, host="other.example.com", namespace="other")


@fault("storage-owner", "belongs to mirror.example.com (namespace regmirror of another cluster, staging; claimed")
def data_of_another_cluster(mirror: Deployed) -> None:
    claim(mirror, uids={"kube-system": "staging"})


@fault("storage-owner", "belongs to an unknown mirror")
def unreadable_owner(mirror: Deployed) -> None:
    mirror.store.write("docker-hub/.regmirror-owner.json", b"")


@fault("storage-pods", "pod regmirror-docker-hub-0 cannot use the bucket: s3aws: NoSuchBucket")
def bucket_lost(mirror: Deployed) -> None:
    RegistryPod(trouble="s3aws: NoSuchBucket").listen(mirror.cluster, f"{REGISTRY}-0")


@fault("storage-pods", "x509: certificate signed by unknown authority")
def untrusted_store(mirror: Deployed) -> None:
    RegistryPod(trouble="x509: certificate signed by unknown authority").listen(mirror.cluster, f"{REGISTRY}-0")


def redirecting(mirror: Deployed) -> None:
    store = {"redirect": True, "redirectEndpoint": "https://store.example.com"}
    reconfigure(mirror, storage={"bucket": "layers", "region": "here", **store})
    config = digest_of(b'{"layers": 2}')
    answer(mirror, f"/v2/library/alpine/blobs/{config}", 307, Location="https://store.example.com/x?signature=canary")


fault("storage-redirect", "this machine cannot reach the store that clients are redirected to")(redirecting)


@fault("storage-redirect", "the store that clients are redirected to answered 403")
def refusing_store(mirror: Deployed) -> None:
    redirecting(mirror)
    mirror.http.hosts["https://store.example.com"] = lambda _: Answer(403, {}, b"")


@fault("storage-redirect", "redirects to http://store.example.com: not the configured store, or not encrypted")
def unencrypted_store(mirror: Deployed) -> None:
    redirecting(mirror)
    config = digest_of(b'{"layers": 2}')
    answer(mirror, f"/v2/library/alpine/blobs/{config}", 307, Location="http://store.example.com/x?signature=canary")


@fault("storage-uploads", "unfinished uploads in the bucket: 1; they incur cost")
def unfinished_uploads(mirror: Deployed) -> None:
    mirror.store.uploads = {"docker-hub/a": samples.NOW - timedelta(days=2), "docker-hub/b": samples.NOW}


@fault("storage-lifecycle", "delete or archive objects that the registry expects in the bucket: expire-30d")
def expiring_objects(mirror: Deployed) -> None:
    mirror.store.rules = {"expire-30d": "", "logs": "logs/"}


def forget_nothing(mirror: Deployed, *blobs: bytes) -> None:
    """Redis remembers blobs, and a repository."""
    keys = [f"blobs::{digest_of(blob)}" for blob in blobs]
    server = RedisServer("canary-redis-password", keys=[*keys, "repository::library/alpine::blobs", "blobs::x"])
    mirror.cluster.listeners[f"{names.REDIS}-0", names.REDIS_PORT] = server


@fault(
    "storage-cache-agrees",
    f"the bucket does not have 2 of 3 objects that Redis remembers, such as {digest_of(b'lost')}: pulls of them break",
)
def emptied_bucket(mirror: Deployed) -> None:
    forget_nothing(mirror, b"kept", b"lost", b"also lost")
    mirror.store.sizes["docker-hub/" + blob_path(digest_of(b"kept"))] = 4


@fault("storage-cache-agrees", "the bucket does not have 1 of 1 objects that Redis remembers")
def lost_layer_of_the_image(mirror: Deployed) -> None:
    forget_nothing(mirror, b"another")


@fault("storage-speed", "ms to return a manifest")
def slow_store(mirror: Deployed) -> None:
    RegistryPod(store_seconds=0.2).listen(mirror.cluster, f"{REGISTRY}-0")
