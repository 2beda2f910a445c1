"""A mirror whose pods have a cloud role is deployed from a machine without S3 credentials, and proven from its pods."""

from __future__ import annotations

import pytest

from regmirror.config.model import Mirror
from regmirror.errors import BucketMissingError, RegmirrorError, StorageError
from regmirror.ports.cluster import Right
from tests import samples
from tests.fakes.registry_pod import RegistryPod
from tests.unit.deploying import EVERYTHING, Place, changed, configured

POD = "regmirror-docker-hub-1"
NO_CREDENTIALS = StorageError("cannot list the bucket layers at AWS: no S3 credentials")


def with_role() -> Mirror:
    return configured(storage=samples.MINIMAL["storage"])


@pytest.fixture
def place() -> Place:
    """A machine without S3 credentials; the registry's pod has the role."""
    place = Place()
    place.store.failure = NO_CREDENTIALS
    serve(place, RegistryPod())
    return place


def serve(place: Place, pod: RegistryPod) -> None:
    metadata = {"name": POD, "labels": {"app.kubernetes.io/instance": "regmirror-docker-hub"}}
    status = {"conditions": [{"type": "Ready", "status": "True"}]}
    spec = {"containers": [{"name": "registry"}]}
    place.cluster.put({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status})
    pod.listen(place.cluster, POD)


def details(place: Place) -> dict[str, str]:
    """The details of the steps of a deployment, by name."""
    return {step.name: step.detail for step in place.deploy(with_role()).steps}


def test_it_is_deployed_without_credentials_and_proven_from_its_pods(place: Place) -> None:
    report = place.deploy(with_role())
    assert set(EVERYTHING) <= set(changed(report))
    found = {step.name: step.detail for step in report.steps}
    assert found["bucket"] == f"not checked with the credentials of this machine: {NO_CREDENTIALS.message}"
    assert found["cloud-role"] == "1 pod can use the bucket"


def test_credentials_of_the_machine_that_suffice_are_used(place: Place) -> None:
    place.store.failure = None
    found = details(place)
    assert found["bucket"] == "layers"
    assert "docker-hub/ claimed" in found["ownership"]


def test_a_pod_that_cannot_use_the_bucket_fails_the_deployment(place: Place) -> None:
    serve(place, RegistryPod(trouble="AccessDenied"))
    with pytest.raises(RegmirrorError) as caught:
        place.deploy(with_role())
    (cause,) = caught.value.causes
    assert cause.message == f"pod {POD} cannot use the bucket: AccessDenied"
    assert "guides/cloud-role" in str(cause.hint)


def test_a_missing_bucket_is_certain(place: Place) -> None:
    place.store.failure = BucketMissingError("there is no bucket layers")
    with pytest.raises(BucketMissingError):
        place.deploy(with_role())


def test_without_permission_to_reach_pods_they_are_not_checked(place: Place) -> None:
    place.cluster.denied = {Right("create", "", "pods/portforward")}
    assert details(place)["cloud-role"] == "not checked: no permission to reach the registry's pods"


def test_refused_credentials_of_a_key_still_fail(place: Place) -> None:
    with pytest.raises(StorageError):
        place.deploy(configured())
