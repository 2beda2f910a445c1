"""Bucket, namespace and Secrets are created if they are missing, and not changed if they are as they should be."""

from __future__ import annotations

import asyncio

import pytest

from regmirror.config.model import Mirror
from regmirror.deploy.bucket import BucketStep
from regmirror.deploy.namespace import NamespaceStep
from regmirror.deploy.secrets import SecretsStep
from regmirror.desired.secrets import secret_manifests
from regmirror.errors import BucketMissingError, ClusterError, StorageError, StorageUnreachableError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import NAMESPACE, SECRET
from regmirror.steps.step import Done, Step
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.fakes.object_store import FakeStore
from tests.fakes.progress import RecordedWaiting

UNREACHABLE = StorageUnreachableError("no answer")


def do(step: Step) -> Done:
    return asyncio.run(step.apply(RecordedWaiting()))


def storage(**changes: object) -> Mirror:
    return samples.mirror(storage={"bucket": "layers", "region": "here", **changes})


def test_a_usable_bucket_is_not_changed() -> None:
    assert do(BucketStep(storage(), FakeStore())) == Done("layers")


def test_a_missing_bucket_is_created_when_the_file_says_so() -> None:
    store = FakeStore(exists=False)
    with pytest.raises(BucketMissingError):
        do(BucketStep(storage(), store))
    assert not store.exists
    assert do(BucketStep(storage(createBucket=True), store)) == Done("layers created", changed=True)
    assert do(BucketStep(storage(createBucket=True), store)) == Done("layers")


@pytest.mark.parametrize("failure", [UNREACHABLE, StorageError("the S3 key is refused")])
def test_a_bucket_that_cannot_be_used_stops_the_deployment(failure: StorageError) -> None:
    with pytest.raises(type(failure)):
        do(BucketStep(storage(endpoint="https://s3.example.com"), FakeStore(failure=failure)))


def test_the_namespace_is_created_once() -> None:
    cluster = FakeCluster(exists=False)
    assert do(NamespaceStep(AsyncCluster(cluster), ())) == Done("regmirror created", changed=True)
    before = cluster.get(NAMESPACE, "regmirror")
    assert do(NamespaceStep(AsyncCluster(cluster), ())) == Done("regmirror")
    assert cluster.get(NAMESPACE, "regmirror") == before


def test_secrets_are_applied_and_counted() -> None:
    cluster = FakeCluster()
    manifests = secret_manifests(samples.mirror(), samples.mirror_secrets())
    assert do(SecretsStep(AsyncCluster(cluster), manifests)) == Done("6 created", changed=True)
    assert do(SecretsStep(AsyncCluster(cluster), manifests)) == Done("6 unchanged")
    cluster.delete(SECRET, "regmirror-bundle")
    cluster.put({**manifests[0], "data": {}})
    assert do(SecretsStep(AsyncCluster(cluster), manifests)) == Done("1 created, 1 changed, 4 unchanged", changed=True)


def test_secrets_need_their_namespace() -> None:
    manifests = secret_manifests(samples.mirror(), samples.mirror_secrets())
    with pytest.raises(ClusterError, match='namespaces "regmirror" not found'):
        do(SecretsStep(AsyncCluster(FakeCluster(exists=False)), manifests))
