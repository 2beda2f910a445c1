"""Each prefix of a bucket belongs to one mirror: deploy claims it, and refuses that of another mirror."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from regmirror import __version__
from regmirror.deploy.diff import diff_mirror, plan_deployment
from regmirror.deploy.ownership import read_claims
from regmirror.deploy.report import StepReport
from regmirror.deploy.steps import DeployOptions
from regmirror.desired.ownership import UNREADABLE, Owner, parse_owner
from regmirror.destroy.run import plan_removal
from regmirror.errors import BucketMissingError, ForeignDataError, PartlyAppliedError, StorageError
from regmirror.ports.cluster import NAMESPACE, Kind, Object, namespace_uids
from regmirror.verify.check import Failed
from regmirror.verify.checks import CHECKS
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.fakes.object_store import FakeStore
from tests.unit.deployed import deployed
from tests.unit.deploying import EVERYTHING, TRAEFIK, Place, changed, configured

KEY = "docker-hub/.regmirror-owner.json"
WITH_PREFIX = {**configured().storage.model_dump(by_alias=True, exclude_none=True), "prefix": "teams/a"}


class RestrictedCluster(FakeCluster):
    """The user may read only the namespace of the mirror."""

    def get(self, kind: Kind, name: str) -> Object | None:
        if kind == NAMESPACE and name != self.namespace:
            self.hidden = {NAMESPACE}
        try:
            return super().get(kind, name)
        finally:
            self.hidden = set()


def owner(place: Place) -> Owner:
    return parse_owner(place.store.contents[KEY])


def ownership_step(place: Place, *, take_over: bool = False) -> StepReport:
    (step,) = (step for step in place.deploy(take_over=take_over).steps if step.name == "ownership")
    return step


def test_deploy_claims_the_data_of_every_upstream() -> None:
    place = Place()
    place.deploy(configured(upstreams=samples.TWO_UPSTREAMS))
    assert sorted(place.store.sizes) == [KEY, "quay/.regmirror-owner.json"]
    record = json.loads(place.store.contents[KEY])
    assert (record["host"], record["namespace"], record["version"]) == ("mirror.example.com", "regmirror", __version__)
    assert sorted(record["namespaceUIDs"]) == ["kube-system", "regmirror"]
    assert datetime.fromisoformat(record["claimedAt"]).tzinfo is UTC


def test_the_record_is_below_the_prefix() -> None:
    place = Place()
    place.deploy(configured(storage=WITH_PREFIX))
    assert list(place.store.sizes) == [f"teams/a/{KEY}"]


def test_a_second_deployment_does_not_write_the_record_again() -> None:
    place = Place()
    assert ownership_step(place).changed
    before = place.store.contents[KEY]
    assert ownership_step(place) == StepReport(name="ownership", changed=False, detail="docker-hub/")
    assert place.store.contents[KEY] == before


def test_data_of_an_older_version_is_claimed_by_the_next_deployment() -> None:
    place = Place()
    place.deploy()
    place.store.delete(KEY)
    place.store.sizes["docker-hub/docker/registry/v2/a"] = 10
    report = asyncio.run(diff_mirror(place.connected()))
    assert changed(report) == ["ownership"]
    assert [step.detail for step in report.steps if step.changed] == ["docker-hub/ would be claimed"]
    assert KEY not in place.store.sizes
    assert changed(place.deploy()) == ["ownership"]


def test_data_of_another_mirror_is_refused_before_anything_is_changed() -> None:
    first = Place()
    first.deploy()
    second = Place(store=first.store)
    with pytest.raises(ForeignDataError) as caught:
        second.deploy()
    uid = owner(first).uids["kube-system"]
    assert caught.value.message.startswith(
        "docker-hub/ in the bucket layers belongs to mirror.example.com (namespace regmirror of another cluster, "
        f"{uid}; claimed 20"
    )
    assert caught.value.hint == (
        "set another storage.prefix; or, if that mirror no longer uses the data, run regmirror deploy --take-over"
    )
    assert second.cluster.get(NAMESPACE, "regmirror") is None
    report = asyncio.run(diff_mirror(second.connected()))
    assert [(unmet.name, unmet.message) for unmet in report.prerequisites] == [("ownership", caught.value.message)]
    assert changed(report) == ["namespace", "secrets", *EVERYTHING]
    with pytest.raises(ForeignDataError):
        asyncio.run(plan_deployment(second.connected(), second.progress, DeployOptions()))


def test_another_namespace_of_the_same_cluster_is_another_mirror() -> None:
    first = Place()
    first.deploy()
    cluster = FakeCluster(first.cluster.select(NAMESPACE), namespace="other")
    with pytest.raises(ForeignDataError, match="namespace regmirror of this cluster; "):
        Place(cluster=put_class(cluster), store=first.store).deploy(configured(namespace="other"))


def put_class(cluster: FakeCluster) -> FakeCluster:
    cluster.put(TRAEFIK)
    return cluster


def test_data_is_taken_over_only_on_request() -> None:
    first = Place()
    first.deploy()
    second = Place(store=first.store)
    report = asyncio.run(plan_deployment(second.connected(), second.progress, DeployOptions(take_over=True)))
    (step,) = (step for step in report.steps if step.name == "ownership")
    assert step.detail.startswith("docker-hub/ would be taken over from mirror.example.com (namespace regmirror of")
    assert ownership_step(second, take_over=True).detail.startswith("docker-hub/ taken over from mirror.example.com")
    assert not ownership_step(second).changed
    with pytest.raises(ForeignDataError):
        first.deploy()


def test_a_recreated_namespace_of_the_same_cluster_keeps_its_data() -> None:
    place = Place()
    place.deploy()
    for found in place.cluster.select(NAMESPACE):
        if found["metadata"]["name"] == "regmirror":
            place.cluster.delete(NAMESPACE, "regmirror")
    before = owner(place)
    assert ownership_step(place).changed
    after = owner(place)
    assert after.uids["regmirror"] != before.uids["regmirror"]
    assert (after.claimed_at, after.uids["kube-system"]) == (before.claimed_at, before.uids["kube-system"])


def test_a_user_who_may_only_read_the_namespace_can_deploy_again() -> None:
    place = Place()
    place.deploy()
    before = owner(place)
    place.cluster.__class__ = RestrictedCluster
    assert namespace_uids(place.cluster, "kube-system") == {"regmirror": before.uids["regmirror"]}
    assert not ownership_step(place).changed
    assert owner(place) == before


def test_a_changed_host_is_recorded() -> None:
    place = Place()
    place.deploy()
    claims = read_claims(configured(host="new.example.com"), place.store, place.cluster)
    assert not claims[0].is_foreign
    assert claims[0].record(samples.NOW).host == "new.example.com"


def test_a_record_that_cannot_be_read_belongs_to_an_unknown_mirror() -> None:
    place = Place()
    place.store.write(KEY, b"{}")
    with pytest.raises(ForeignDataError, match="belongs to an unknown mirror"):
        place.deploy()
    assert ownership_step(place, take_over=True).changed
    assert [parse_owner(text) for text in (b"", b"\xff", b"[]", b'{"namespaceUIDs": 1}')] == [UNREADABLE] * 4


def test_mirrors_that_cannot_be_compared_are_neither_same_nor_other() -> None:
    ours, theirs = Owner("a", "regmirror", {}), Owner("a", "regmirror", {"kube-system": "1"})
    assert not ours.is_same_mirror(theirs)
    assert not ours.is_other_mirror(theirs)
    assert Owner("b", "regmirror", {}).is_other_mirror(theirs)
    assert Owner("a", "regmirror", {"kube-system": "2"}).is_other_mirror(theirs)


def test_nothing_is_claimed_without_the_bucket() -> None:
    place = Place()
    assert "ownership" not in [step.name for step in place.deploy(skip_bucket=True).steps]
    assert place.store.sizes == {}


def test_a_missing_bucket_would_be_created_and_claimed() -> None:
    place = Place(store=FakeStore(exists=False))
    mirror = configured(storage={**WITH_PREFIX, "createBucket": True})
    report = asyncio.run(diff_mirror(place.connected(mirror)))
    assert {"bucket", "ownership"} <= set(changed(report))
    with pytest.raises(BucketMissingError):
        place.deploy()
    place.deploy(mirror)
    assert list(place.store.sizes) == [f"teams/a/{KEY}"]


def test_a_record_that_cannot_be_written_stops_the_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place()
    real = place.store.write

    def refuse(key: str, content: bytes) -> None:
        if key == "quay/.regmirror-owner.json":
            raise StorageError("cannot write")
        real(key, content)

    monkeypatch.setattr(place.store, "write", refuse)
    with pytest.raises(PartlyAppliedError, match="may have changed: Data owner"):
        place.deploy(configured(upstreams=samples.TWO_UPSTREAMS))
    assert place.cluster.get(Kind("v1", "Secret"), "regmirror-auth-config") is None


def test_a_key_that_may_only_touch_the_prefix_is_enough() -> None:
    place = Place(store=FakeStore(allowed="teams/a/"))
    mirror = configured(storage=WITH_PREFIX)
    asyncio.run(diff_mirror(place.connected(mirror)))
    place.deploy(mirror)
    verified = deployed(storage=WITH_PREFIX)
    verified.store = place.store
    ids = [check.id for check in CHECKS if check.id.startswith("storage-")]
    assert [id_ for id_ in ids if isinstance(verified.ask(id_), Failed)] == ["storage-owner"]
    removal = asyncio.run(plan_removal(place.connected(mirror), purge_data=True))
    asyncio.run(removal.execute(place.progress, timedelta(seconds=10)))
    assert place.store.sizes == {}
