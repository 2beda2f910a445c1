"""A whole diff, with cluster and Helm in memory: it shows what deploy does, and changes nothing."""

from __future__ import annotations

import asyncio
import json

import pytest

from regmirror.config.model import Mirror
from regmirror.deploy.diff import diff_mirror, plan_deployment
from regmirror.deploy.report import DiffReport, StepReport
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


def diff(place: Place, mirror: Mirror | None = None) -> DiffReport:
    return asyncio.run(diff_mirror(place.connected(mirror)))


def two_upstreams() -> Mirror:
    return configured(upstreams=[configured().upstreams[0].model_dump(by_alias=True, exclude_none=True), QUAY])


def changes(report: DiffReport) -> list[str]:
    return [f"{one.action} {one.kind} {one.name} ({one.cause})" for one in report.objects]


def test_before_the_first_deployment_everything_is_to_be_created(place: Place) -> None:
    report = diff(place)
    assert report.differs
    assert {one.action for one in report.objects} == {"create"}
    assert changes(report)[:2] == ["create Namespace regmirror (file)", "create Secret regmirror-signing (file)"]
    assert changed(report) == ["namespace", "ownership", "secrets", *EVERYTHING]
    assert place.cluster.get(NAMESPACE, "regmirror") is None


def test_after_a_deployment_nothing_differs_and_a_diff_changes_nothing(place: Place) -> None:
    place.deploy()
    before = [place.cluster.select(kind) for kind in (SECRET, DEPLOYMENT, SERVICE)]
    report = diff(place)
    assert (report.differs, report.objects, report.foreign_fields) == (False, [], [])
    assert [place.cluster.select(kind) for kind in (SECRET, DEPLOYMENT, SERVICE)] == before


def test_a_diff_names_the_steps_that_deploy_changes(place: Place) -> None:
    place.deploy()
    place.environ["S3_SECRET"] = "another"
    planned = changed(diff(place))
    assert planned == changed(place.deploy()) == ["secrets", "regmirror-docker-hub"]
    assert not diff(place).differs


def test_the_same_diff_has_the_same_report(place: Place) -> None:
    place.deploy()
    place.environ["TOKEN"] = "another"
    place.cluster.delete(SERVICE, "regmirror-auth")
    assert json.dumps(diff(place).document()) == json.dumps(diff(place).document())


def test_what_was_deleted_by_hand_is_drift(place: Place) -> None:
    place.deploy()
    place.cluster.delete(SERVICE, "regmirror-auth")
    place.cluster.delete(SECRET, "regmirror-bundle")
    report = diff(place)
    assert "create Service regmirror-auth (drift)" in changes(report)
    assert "create Secret regmirror-bundle (drift)" in changes(report)


def test_no_secret_is_shown(place: Place) -> None:
    place.deploy()
    place.environ.update({name: f"{value}-new" for name, value in CANARIES.items()})
    report = diff(place)
    assert "change Secret regmirror-docker-hub-credential (file)" in changes(report)
    assert "canary" not in json.dumps(report.document())


def test_an_upstream_that_left_the_file_is_an_orphan_and_removed_only_with_prune(place: Place) -> None:
    place.deploy(two_upstreams())
    ingress = "remove Ingress regmirror-ingress-quay.example.com (file)"
    leaving = ["remove Service regmirror-quay (file)", "remove Deployment regmirror-quay (file)"]
    secrets = ["remove Secret regmirror-quay-config (file)", "remove Secret regmirror-quay-credential (file)"]
    assert [line for line in changes(diff(place)) if line.startswith("remove")] == [ingress, *leaving, *secrets]
    warning = place.deploy().warnings[-1]
    assert warning == (
        "not in the file, but still in the cluster: release regmirror-quay, Secret regmirror-quay-config, "
        "Secret regmirror-quay-credential; to remove them: regmirror deploy --prune"
    )
    kept = asyncio.run(plan_deployment(place.connected(), place.progress, DeployOptions()))
    assert (kept.differs, kept.orphans[0]) == (False, "release regmirror-quay")
    assert changed(place.deploy(prune=True)) == ["prune"]
    assert place.cluster.get(DEPLOYMENT, "regmirror-quay") is None
    assert not diff(place).differs
    assert place.deploy().warnings == []


def test_releases_of_others_are_never_orphans(place: Place) -> None:
    place.deploy()
    objects = [{"kind": "Service", "metadata": {"name": "x", "labels": {"app.kubernetes.io/name": "grafana"}}}]
    place.helm.record("regmirror-dashboards", 1, "deployed", objects)
    place.helm.record(
        "registry", 1, "deployed", [{**objects[0], "metadata": {"labels": {"app.kubernetes.io/name": "registry"}}}]
    )
    assert not diff(place).differs


def test_the_new_key_of_a_rotation_is_not_an_orphan(place: Place) -> None:
    place.deploy()
    labels = {"app.kubernetes.io/managed-by": "regmirror"}
    metadata = {"name": "regmirror-signing-next", "labels": labels}
    place.cluster.put({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {}})
    assert not diff(place).differs


def test_a_release_that_failed_differs_though_its_objects_do_not(place: Place) -> None:
    place.deploy()
    objects = asyncio.run(place.helm.manifest("regmirror-auth"))
    place.helm.record("regmirror-auth", 2, "failed", objects)
    report = diff(place)
    assert report.differs
    assert [step.detail for step in report.steps if step.changed] == ["status failed; unchanged"]


def test_a_missing_bucket_is_to_be_created_only_where_the_file_says_so(place: Place) -> None:
    place.store.exists = False
    with pytest.raises(BucketMissingError):
        diff(place)
    storage = {**configured().storage.model_dump(by_alias=True, exclude_none=True), "createBucket": True}
    report = diff(place, configured(storage=storage))
    assert report.steps[0] == StepReport(name="bucket", changed=True, detail="layers would be created")
    assert not place.store.exists


@pytest.mark.parametrize("right", diff_rights(configured()))
def test_a_right_that_is_missing_is_changes(place: Place, right: Right) -> None:
    place.cluster.denied = {right}
    with pytest.raises(PermissionDeniedError, match=str(right)):
        diff(place)


def test_what_deploy_requires_and_is_missing_is_in_the_report(place: Place) -> None:
    place.deploy()
    wanted = configured(ingress={"className": "traefik", "tlsSecret": "regmirror-tls"})
    (missing,) = diff(place, wanted).prerequisites
    assert missing.name == "certificate"
    assert "has no Secret regmirror-tls" in missing.message
    assert missing.hint and "kubectl -n regmirror create secret tls regmirror-tls" in missing.hint
    assert diff(place).prerequisites == []


def test_a_public_setting_is_shown_with_its_values(place: Place) -> None:
    place.deploy()
    upstream = {**samples.MINIMAL["upstreams"][0], "anonymousPull": ["library/*", "acme/other"]}
    report = diff(place, configured(upstreams=[upstream], registry={"ttl": "24h"}))
    fields = {field.path: (field.from_, field.to) for one in report.objects for field in one.fields if not field.masked}
    assert fields["data[auth_config.yml].acl[mirror.example.com/acme/other]"] == (None, "pull")
    assert fields["data[auth_config.yml].acl[mirror.example.com/acme/tool]"] == ("pull", None)
    assert fields["data[config.yml].proxy.ttl"][1] == "24h"
