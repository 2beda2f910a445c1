"""A bucket that this machine cannot reach is checked, created and claimed from a pod, which leaves nothing behind."""

from __future__ import annotations

import asyncio

import pytest

from regmirror.config.model import Mirror
from regmirror.deploy.diff import diff_mirror
from regmirror.errors import PartlyAppliedError, StorageUnreachableError
from regmirror.ports.cluster import POD, SECRET, Right
from regmirror.workloads.proxy_pod import NAME, PORT, proxy_pod, store_address
from tests import samples
from tests.fakes.object_store import FakeStore
from tests.unit.deploying import Place, changed, configured

KEY = "docker-hub/.regmirror-owner.json"
ENDPOINTS = ["http://minio.storage.svc.cluster.local:9000", "https://s3.example.com", "http://10.0.0.9:9000"]


def unreachable_from_here() -> Place:
    return Place(store=FakeStore(failure=StorageUnreachableError("no such host")))


def mirror(endpoint: str = ENDPOINTS[0], **storage: object) -> Mirror:
    known = configured().storage.model_dump(by_alias=True, exclude_none=True)
    return configured(storage={**known, "endpoint": endpoint, **storage})


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_bucket_is_claimed_from_a_pod_whatever_its_name_looks_like(endpoint: str) -> None:
    place = unreachable_from_here()
    report = place.deploy(mirror(endpoint))
    assert list(place.connections.store_in_cluster.sizes) == [KEY]
    assert place.connections.passed_through == [(NAME, PORT)]
    assert place.cluster.get(POD, NAME) is None
    (bucket,) = (step for step in report.steps if step.name == "bucket")
    assert bucket.detail == "layers, checked from a pod"
    assert "ownership" not in [step.name for step in report.steps]


def test_a_second_deployment_changes_nothing() -> None:
    place = unreachable_from_here()
    place.deploy(mirror())
    assert changed(place.deploy(mirror())) == []


def test_a_missing_bucket_is_created_from_the_pod() -> None:
    place = unreachable_from_here()
    place.connections.store_in_cluster.exists = False
    place.deploy(mirror(createBucket=True))
    assert place.connections.store_in_cluster.exists


def test_what_the_pod_finds_stops_the_deployment_and_the_pod_is_deleted() -> None:
    place = unreachable_from_here()
    place.cluster.runs[NAME] = ("Failed", "Name or service not known")
    with pytest.raises(PartlyAppliedError, match="neither this machine nor a pod can reach the store") as caught:
        place.deploy(mirror())
    assert "Name or service not known" in caught.value.message
    assert place.cluster.get(POD, NAME) is None
    assert place.cluster.select(SECRET) == []


def test_without_the_permission_to_create_a_pod_it_is_not_called_checked() -> None:
    place = unreachable_from_here()
    place.cluster.denied = {Right("create", "", "pods")}
    report = place.deploy(mirror())
    (bucket,) = (step for step in report.steps if step.name == "bucket")
    assert bucket.detail.startswith("not checked: this machine cannot reach http://minio.storage")
    assert "create pods" in bucket.detail


def test_diff_creates_no_pod() -> None:
    place = unreachable_from_here()
    place.deploy(mirror())
    place.connections.passed_through.clear()
    report = asyncio.run(diff_mirror(place.connected(mirror())))
    assert not report.differs
    assert place.connections.passed_through == []
    (bucket,) = (step for step in report.steps if step.name == "bucket")
    assert bucket.detail.endswith("deploy checks it from a pod")


def test_a_pod_that_a_killed_deployment_left_is_replaced() -> None:
    place = unreachable_from_here()
    place.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "regmirror"}})
    place.cluster.put({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": NAME}, "status": {"phase": "Failed"}})
    place.deploy(mirror())
    assert place.cluster.get(POD, NAME) is None


def test_the_pod_is_scheduled_like_the_registry_and_stops_by_itself() -> None:
    registry = {"nodeSelector": {"disk": "fast"}, "imagePullSecrets": ["internal"]}
    pod = proxy_pod(samples.mirror(registry=registry))
    assert pod["spec"]["nodeSelector"] == {"disk": "fast"}
    assert pod["spec"]["imagePullSecrets"] == [{"name": "internal"}]
    assert pod["spec"]["activeDeadlineSeconds"] == 600
    assert pod["spec"]["containers"][0]["image"] == samples.mirror().fetcher.image


def test_the_address_of_a_store_has_its_port() -> None:
    assert store_address(mirror("http://10.0.0.9:9000").storage) == ("10.0.0.9", 9000)
    assert store_address(mirror("https://s3.example.com").storage) == ("s3.example.com", 443)
    assert store_address(samples.mirror().storage) == ("s3.eu-central-1.amazonaws.com", 443)
