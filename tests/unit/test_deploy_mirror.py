"""A whole deployment, with cluster, Helm, bucket and public host in memory."""

from __future__ import annotations

import json

import pytest

from regmirror.deploy.resolve_secrets import read_secret
from regmirror.errors import BucketMissingError, HelmError, PartlyAppliedError, PermissionDeniedError
from regmirror.ports.cluster import DEPLOYMENT, NAMESPACE, SECRET, Right
from tests import samples
from tests.unit.deploying import CANARIES, EVERYTHING, Place, changed, configured


@pytest.fixture
def place() -> Place:
    return Place()


def test_the_first_deployment_creates_everything(place: Place) -> None:
    report = place.deploy()
    assert changed(report) == ["namespace", "ownership", "secrets", *EVERYTHING]
    assert [step.name for step in report.steps] == [
        "bucket",
        "namespace",
        "admission",
        "ownership",
        "secrets",
        *EVERYTHING,
        "public-check",
    ]
    assert (report.kind, report.host, report.namespace, report.changed) == (
        "DeployReport",
        "mirror.example.com",
        "regmirror",
        True,
    )
    assert place.helm.upgraded[-1] == "regmirror-ingress"
    assert len(place.cluster.select(DEPLOYMENT)) == 4


def test_the_second_deployment_changes_nothing(place: Place) -> None:
    place.deploy()
    before = [place.cluster.select(kind) for kind in (SECRET, DEPLOYMENT)]
    report = place.deploy()
    assert not report.changed
    assert changed(report) == []
    assert sorted(place.helm.upgraded) == sorted(EVERYTHING)
    assert [place.cluster.select(kind) for kind in (SECRET, DEPLOYMENT)] == before


def test_no_secret_is_anywhere_but_in_secrets(place: Place) -> None:
    report = place.deploy()
    places = json.dumps([report.document(), place.progress.events, place.cluster.select(DEPLOYMENT)])
    assert not [canary for canary in CANARIES.values() if canary in places]
    generated = read_secret(place.cluster, "regmirror-redis-config", "password")
    assert generated is not None
    assert generated.decode() not in places


def test_a_risk_is_a_warning_of_the_report(place: Place) -> None:
    (upstream,) = samples.MINIMAL["upstreams"]
    report = place.deploy(configured(upstreams=[{**upstream, "url": "http://hub.example.com"}]))
    assert report.warnings[0].startswith("upstreams[0].url: http://hub.example.com is not encrypted")


def test_a_changed_credential_restarts_no_pod(place: Place) -> None:
    place.deploy()
    place.environ["TOKEN"] = "another"
    assert changed(place.deploy()) == ["secrets"]


def test_a_changed_s3_key_restarts_only_the_registry(place: Place) -> None:
    place.deploy()
    place.environ["S3_SECRET"] = "another"
    assert changed(place.deploy()) == ["secrets", "regmirror-docker-hub"]


def test_another_upstream_adds_its_registry_and_its_host(place: Place) -> None:
    place.deploy()
    more = [configured().upstreams[0].model_dump(by_alias=True, exclude_none=True), samples.TWO_UPSTREAMS[1]]
    report = place.deploy(configured(upstreams=more))
    assert changed(report) == [
        "ownership",
        "secrets",
        "regmirror-redis",
        "regmirror-auth",
        "regmirror-quay",
        "regmirror-ingress",
    ]


def test_a_failed_preflight_changes_nothing(place: Place) -> None:
    place.cluster.denied = {Right("create", "", "secrets")}
    with pytest.raises(PermissionDeniedError, match="create secrets"):
        place.deploy()
    assert place.cluster.get(NAMESPACE, "regmirror") is None


def test_an_unusable_bucket_changes_nothing(place: Place) -> None:
    place.store.exists = False
    with pytest.raises(BucketMissingError):
        place.deploy()
    assert place.cluster.get(NAMESPACE, "regmirror") is None


def test_a_failed_deployment_continues_where_it_stopped(place: Place) -> None:
    place.helm.failures["regmirror-auth"] = HelmError("helm upgrade failed: quota", hint="raise the quota")
    with pytest.raises(
        PartlyAppliedError, match="the deployment is incomplete: RM300: regmirror-auth: helm upgrade failed: quota"
    ):
        place.deploy()
    assert "skipped regmirror-ingress: skipped: an earlier step failed" in place.progress.events
    del place.helm.failures["regmirror-auth"]
    assert changed(place.deploy()) == ["regmirror-auth", "regmirror-ingress"]


def test_bucket_and_public_check_can_be_skipped(place: Place) -> None:
    place.store.exists = False
    report = place.deploy(skip_bucket=True, skip_verify=True)
    assert not report.verified
    assert [step.name for step in report.steps] == ["namespace", "admission", "secrets", *EVERYTHING]
