"""A whole diff, over a cluster and a Helm in memory: it tells what deploy does, and nothing is changed by telling."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from regmirror.config.model import Mirror
from regmirror.deploy.diff import diff_mirror, plan_deployment
from regmirror.deploy.rights import diff_rights
from regmirror.deploy.steps import DeployOptions
from regmirror.errors import BucketMissingError, PermissionDeniedError
from regmirror.ports.cluster import DEPLOYMENT, NAMESPACE, SECRET, Kind, Right
from tests import samples
from tests.unit.deploying import CANARIES, EVERYTHING, Place, changed, configured

SERVICE = Kind("v1", "Service")
QUAY = samples.TWO_UPSTREAMS[1]


@pytest.fixture
def place() -> Place:
    return Place()


def diff(place: Place, mirror: Mirror | None = None) -> dict[str, Any]:
    return asyncio.run(diff_mirror(place.connected(mirror)))


def two_upstreams() -> Mirror:
    return configured(upstreams=[configured().upstreams[0].model_dump(by_alias=True, exclude_none=True), QUAY])


def told(report: dict[str, Any]) -> list[str]:
    return [f"{one['action']} {one['kind']} {one['name']} ({one['cause']})" for one in report["objects"]]


def test_before_the_first_deployment_everything_is_to_be_created(place: Place) -> None:
    report = diff(place)
    assert report["differs"]
    assert {one["action"] for one in report["objects"]} == {"create"}
    assert told(report)[:2] == ["create Namespace regmirror (file)", "create Secret regmirror-signing (file)"]
    assert changed(report) == ["namespace", "secrets", *EVERYTHING]
    assert place.cluster.get(NAMESPACE, "regmirror") is None


def test_after_a_deployment_nothing_differs_and_a_diff_changes_nothing(place: Place) -> None:
    place.deploy()
    before = [place.cluster.select(kind) for kind in (SECRET, DEPLOYMENT, SERVICE)]
    report = diff(place)
    assert (report["differs"], report["objects"], report["kept"]) == (False, [], [])
    assert [place.cluster.select(kind) for kind in (SECRET, DEPLOYMENT, SERVICE)] == before


def test_a_diff_names_the_steps_that_deploy_then_changes(place: Place) -> None:
    place.deploy()
    place.environ["S3_SECRET"] = "another"
    planned = changed(diff(place))
    assert planned == changed(place.deploy()) == ["secrets", "regmirror-docker-hub"]
    assert not diff(place)["differs"]


def test_the_same_diff_is_told_in_the_same_words(place: Place) -> None:
    place.deploy()
    place.environ["TOKEN"] = "another"
    place.cluster.delete(SERVICE, "regmirror-auth")
    assert json.dumps(diff(place)) == json.dumps(diff(place))


def test_what_was_deleted_by_hand_is_drift(place: Place) -> None:
    place.deploy()
    place.cluster.delete(SERVICE, "regmirror-auth")
    place.cluster.delete(SECRET, "regmirror-bundle")
    report = diff(place)
    assert "create Service regmirror-auth (drift)" in told(report)
    assert "create Secret regmirror-bundle (drift)" in told(report)


def test_no_secret_is_told(place: Place) -> None:
    place.deploy()
    place.environ.update({name: f"{value}-new" for name, value in CANARIES.items()})
    report = diff(place)
    assert "change Secret regmirror-docker-hub-credential (file)" in told(report)
    assert "canary" not in json.dumps(report)


def test_an_upstream_that_left_the_file_is_told_and_goes_only_by_prune(place: Place) -> None:
    place.deploy(two_upstreams())
    ingress = "remove Ingress regmirror-ingress-quay.example.com (file)"
    leaving = ["remove Service regmirror-quay (file)", "remove Deployment regmirror-quay (file)"]
    secrets = ["remove Secret regmirror-quay-config (file)", "remove Secret regmirror-quay-credential (file)"]
    assert [line for line in told(diff(place)) if line.startswith("remove")] == [ingress, *leaving, *secrets]
    warning = place.deploy()["warnings"][-1]
    assert warning == (
        "no longer in the file, but still there: regmirror-quay, Secret regmirror-quay-config, "
        "Secret regmirror-quay-credential. Remove them: regmirror deploy --prune"
    )
    kept = asyncio.run(plan_deployment(place.connected(), place.progress, DeployOptions()))
    assert (kept["differs"], kept["orphans"][0]) == (False, "regmirror-quay")
    assert changed(place.deploy(prune=True)) == ["prune"]
    assert place.cluster.get(DEPLOYMENT, "regmirror-quay") is None
    assert not diff(place)["differs"]
    assert place.deploy()["warnings"] == []


def test_releases_of_others_are_never_left_over(place: Place) -> None:
    place.deploy()
    objects = [{"kind": "Service", "metadata": {"name": "x", "labels": {"app.kubernetes.io/name": "grafana"}}}]
    place.helm.record("regmirror-dashboards", 1, "deployed", objects)
    place.helm.record(
        "registry", 1, "deployed", [{**objects[0], "metadata": {"labels": {"app.kubernetes.io/name": "registry"}}}]
    )
    assert not diff(place)["differs"]


def test_the_new_key_of_a_rotation_is_not_left_over(place: Place) -> None:
    place.deploy()
    labels = {"app.kubernetes.io/managed-by": "regmirror"}
    metadata = {"name": "regmirror-signing-next", "labels": labels}
    place.cluster.put({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {}})
    assert not diff(place)["differs"]


def test_a_release_that_failed_differs_though_its_objects_do_not(place: Place) -> None:
    place.deploy()
    objects = asyncio.run(place.helm.manifest("regmirror-auth"))
    place.helm.record("regmirror-auth", 2, "failed", objects)
    report = diff(place)
    assert report["differs"]
    assert [step["detail"] for step in report["steps"] if step["changed"]] == ["marked failed; unchanged"]


def test_a_missing_bucket_is_to_be_created_only_where_the_file_says_so(place: Place) -> None:
    place.store.exists = False
    with pytest.raises(BucketMissingError):
        diff(place)
    storage = {**configured().storage.model_dump(by_alias=True, exclude_none=True), "createBucket": True}
    report = diff(place, configured(storage=storage))
    assert report["steps"][0] == {"name": "bucket", "changed": True, "detail": "layers would be created"}
    assert not place.store.exists


@pytest.mark.parametrize("right", diff_rights(samples.mirror()))
def test_a_right_that_is_missing_is_told(place: Place, right: Right) -> None:
    place.cluster.denied = {right}
    with pytest.raises(PermissionDeniedError, match=str(right)):
        diff(place)
