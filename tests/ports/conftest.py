"""Each port twice: the fake, and the real adapter on the cluster of lab.target_cluster.

Both must pass the same tests; without a cluster, the tests of the real adapter are skipped.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from pydantic import SecretStr

from lab import target_cluster
from lab.errors import LabError
from lab.target_cluster import TargetCluster
from regmirror.adapters.cluster import KubernetesCluster
from regmirror.adapters.helm import Pyhelm3Helm
from regmirror.adapters.object_store import S3ObjectStore
from regmirror.config.model import S3Storage
from regmirror.desired.mirror_secrets import Account
from regmirror.ports.cluster import NAMESPACE, SECRET, Cluster, Object
from regmirror.ports.helm import Helm
from regmirror.ports.object_store import ObjectStore
from tests.fakes.cluster import FakeCluster
from tests.fakes.helm import FakeHelm
from tests.fakes.object_store import FakeStore


@pytest.fixture(scope="session")
def target() -> TargetCluster:
    """The cluster of the lab, or that of CONTEXT."""
    try:
        return target_cluster.find()
    except LabError as error:
        pytest.skip(str(error))


@dataclass(frozen=True)
class Place:
    """A namespace and its neighbors.

    ``put_elsewhere`` creates an object in a neighbor, ``apply_as`` applies one as another field manager.
    """

    cluster: Cluster
    without_namespace: Cluster
    put_elsewhere: Callable[[Object], object]
    apply_as: Callable[[str, Object], object]


@pytest.fixture
def fake_place() -> Place:
    cluster = FakeCluster()
    return Place(cluster, FakeCluster(exists=False), cluster.elsewhere.append, cluster.apply_as)


@pytest.fixture
def real_place(target: TargetCluster) -> Iterator[Place]:
    names = [f"port-{secrets.token_hex(4)}" for _ in range(3)]
    cluster, elsewhere, absent = (KubernetesCluster(None, target.context, name) for name in names)
    for one in (cluster, elsewhere):
        one.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": one.namespace}})
    yield Place(
        cluster,
        absent,
        lambda manifest: elsewhere.apply(manifest),
        lambda manager, manifest: apply_as(manager, manifest, target.context, cluster.namespace),
    )
    for one in (cluster, elsewhere):
        one.delete(NAMESPACE, one.namespace)


def apply_as(manager: str, manifest: Object, context: str, namespace: str) -> None:
    """Server-side apply with kubectl, as another field manager."""
    command = ["kubectl", "--context", context, "-n", namespace, "apply", "--server-side", "--force-conflicts"]
    subprocess.run([*command, f"--field-manager={manager}", "-f", "-"], input=json.dumps(manifest).encode(), check=True)


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.lab)])
def place(request: pytest.FixtureRequest) -> Place:
    """A namespace, in memory and in the cluster."""
    found: Place = request.getfixturevalue(f"{request.param}_place")
    return found


@dataclass(frozen=True)
class HelmPlace:
    """Helm in a namespace; ``leave_pending`` leaves a release in the status of a killed Helm."""

    helm: Helm
    cluster: Cluster
    leave_pending: Callable[[str, int], object]


@pytest.fixture
def fake_helm(fake_place: Place) -> HelmPlace:
    assert isinstance(fake_place.cluster, FakeCluster)
    helm = FakeHelm(fake_place.cluster)
    return HelmPlace(
        helm, fake_place.cluster, lambda name, revision: helm.record(name, revision, "pending-upgrade", [])
    )


@pytest.fixture
def real_helm3(target: TargetCluster, real_place: Place) -> HelmPlace:
    """The lab's Helm 3, or the installed Helm on another cluster."""
    return _real_helm(target, real_place, target.lab["helm3"] if target.lab else os.environ.get("HELM", "helm"))


@pytest.fixture
def real_helm4(target: TargetCluster, real_place: Place) -> HelmPlace:
    """The lab's Helm 4."""
    if target.lab is None:
        pytest.skip("outside the lab, only one Helm is tested")
    return _real_helm(target, real_place, target.lab["helm4"])


def _real_helm(target: TargetCluster, place: Place, executable: str) -> HelmPlace:
    cluster = place.cluster
    helm = Pyhelm3Helm(executable, None, target.context, cluster.namespace)
    return HelmPlace(helm, cluster, lambda name, revision: leave_pending(cluster, name, revision))


def leave_pending(cluster: Cluster, name: str, revision: int) -> None:
    """Write Helm's record of a further revision that is pending. Source: Helm's pkg/storage/driver/util.go."""
    record = cluster.get(SECRET, f"sh.helm.release.v1.{name}.v{revision - 1}")
    assert record is not None
    release = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(record["data"]["release"]))))
    release |= {"version": revision, "info": release["info"] | {"status": "pending-upgrade"}}
    encoded = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(release).encode()))).decode()
    labels = record["metadata"]["labels"] | {"status": "pending-upgrade", "version": str(revision)}
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": f"sh.helm.release.v1.{name}.v{revision}", "labels": labels},
            "type": record["type"],
            "data": {"release": encoded},
        }
    )


@dataclass(frozen=True)
class StorePlace:
    """A bucket that does not exist yet.

    ``objects`` lists its objects, ``put`` adds an object with a key and a size, ``begin`` starts an upload without
    completing it.
    """

    bucket: str
    store: ObjectStore
    objects: Callable[[], list[Any]]
    put: Callable[[str, int], object]
    begin: Callable[[str], object]


@pytest.fixture
def fake_store() -> StorePlace:
    store = FakeStore(exists=False)

    def begin(key: str) -> None:
        store.uploads[key] = datetime.now(UTC)

    return StorePlace("layers", store, list, store.sizes.__setitem__, begin)


@pytest.fixture
def real_store(target: TargetCluster) -> Iterator[StorePlace]:
    environment = target.environment
    endpoint, region = environment.get("S3_ENDPOINT"), environment["S3_REGION"]
    key, secret = environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]
    client = boto3.client(
        "s3", region_name=region, endpoint_url=endpoint, aws_access_key_id=key, aws_secret_access_key=secret
    )
    bucket = f"port-{secrets.token_hex(8)}"
    storage = S3Storage(bucket=bucket, region=region, endpoint=endpoint)
    store = S3ObjectStore(storage, Account(SecretStr(key), SecretStr(secret)))

    def objects() -> list[Any]:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [found for page in pages for found in page.get("Contents", [])]

    def put(key: str, size: int) -> None:
        client.put_object(Bucket=bucket, Key=key, Body=b"x" * size)

    def begin(key: str) -> None:
        client.create_multipart_upload(Bucket=bucket, Key=key)

    yield StorePlace(bucket, store, objects, put, begin)
    if bucket in [found["Name"] for found in client.list_buckets()["Buckets"]]:
        for upload in client.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
            client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
        for found in objects():
            client.delete_object(Bucket=bucket, Key=found["Key"])
        client.delete_bucket(Bucket=bucket)
