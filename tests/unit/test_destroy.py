"""Taking a mirror away, over a cluster, a Helm and a bucket in memory: what is ours goes, what is not stays."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from regmirror.destroy.rights import destroy_rights
from regmirror.destroy.run import Removal, plan_removal
from regmirror.errors import ClusterError, ExitCode, HelmError, PartlyAppliedError, PermissionDeniedError, StorageError
from regmirror.ports.cluster import DEPLOYMENT, LEASE, NAMESPACE, POD, SECRET, Kind, Right
from tests.fakes.cluster import FakeCluster
from tests.unit.deploying import EVERYTHING, Place

CONFIG_MAP = Kind("v1", "ConfigMap")
RELEASES = [f"Helm release {name}, with its pods" for name in sorted(EVERYTHING)]


@pytest.fixture
def place() -> Place:
    """A mirror that is deployed, in a namespace that deploy has made."""
    made = Place()
    made.deploy()
    return made


def look(place: Place, *, purge: bool = False) -> Removal:
    return asyncio.run(plan_removal(place.connected(), purge_data=purge))


def destroy(place: Place, *, purge: bool = False, seconds: float = 10) -> dict[str, Any]:
    removal = look(place, purge=purge)
    return asyncio.run(removal.execute(place.progress, timedelta(seconds=seconds)))


def put(cluster: FakeCluster, kind: Kind, name: str, **metadata: Any) -> None:
    cluster.put({"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name, **metadata}})


def test_what_goes_and_what_stays_is_told_before(place: Place) -> None:
    report = look(place).report([], [])
    assert report["goes"][:4] == RELEASES
    assert report["goes"][4:6] == ["Secret regmirror-auth-config", "Secret regmirror-bundle"]
    assert report["goes"][-1] == "Namespace regmirror"
    assert report["stays"] == ["the bucket layers, with all its data", "volumes: the mirror has none"]
    assert place.cluster.get(DEPLOYMENT, "regmirror-auth")


def test_everything_of_ours_goes(place: Place) -> None:
    report = destroy(place)
    assert report["changed"]
    assert report["steps"][0]["name"] == "regmirror-ingress"
    assert (place.cluster.select(DEPLOYMENT), place.cluster.select(SECRET)) == ([], [])
    assert place.cluster.get(NAMESPACE, "regmirror") is None


def test_a_second_run_says_that_there_is_nothing(place: Place) -> None:
    destroy(place)
    assert look(place).is_empty
    report = destroy(place)
    assert (report["changed"], report["goes"], report["steps"]) == (False, [], [])


def test_what_a_rotation_and_a_removed_upstream_left_goes_too(place: Place) -> None:
    put(place.cluster, LEASE, "regmirror-rotation")
    put(place.cluster, SECRET, "regmirror-signing-next", labels={"app.kubernetes.io/managed-by": "regmirror"})
    objects = [{"kind": "Service", "metadata": {"name": "x", "labels": {"app.kubernetes.io/name": "registry"}}}]
    place.helm.record("regmirror-removed", 1, "deployed", [{"apiVersion": "v1", **objects[0]}])
    (told,) = (step["detail"] for step in destroy(place)["steps"] if step["name"] == "secrets")
    assert told.endswith("Secrets, 1 Lease removed")
    assert place.cluster.get(LEASE, "regmirror-rotation") is None
    assert place.cluster.select(SECRET) == []


def test_what_others_have_made_stays_and_keeps_the_namespace(place: Place) -> None:
    put(place.cluster, SECRET, "regmirror-tls")
    put(place.cluster, CONFIG_MAP, "theirs")
    put(place.cluster, CONFIG_MAP, "kube-root-ca.crt")
    objects = [{"kind": "Service", "metadata": {"name": "x", "labels": {"app.kubernetes.io/name": "grafana"}}}]
    place.helm.record("dashboards", 1, "deployed", objects)
    reason = "it also holds ConfigMap theirs, Secret regmirror-tls, Secret sh.helm.release.v1.dashboards.v1"
    assert look(place).report([], [])["stays"][-1] == f"Namespace regmirror: {reason}"
    assert destroy(place)["steps"][-1]["detail"] == f"regmirror stays: {reason}"
    names = [secret["metadata"]["name"] for secret in place.cluster.select(SECRET)]
    assert names == ["regmirror-tls", "sh.helm.release.v1.dashboards.v1"]
    assert place.cluster.get(NAMESPACE, "regmirror")
    assert look(place).is_empty


def test_a_namespace_that_was_there_before_stays(place: Place) -> None:
    put(place.cluster, NAMESPACE, "regmirror")
    assert destroy(place)["steps"][-1]["detail"] == "regmirror stays: deploy has not made it"
    assert place.cluster.get(NAMESPACE, "regmirror")


def test_a_namespace_stays_where_nobody_can_tell_what_is_in_it_or_may_delete_it(place: Place) -> None:
    place.cluster.hidden = {CONFIG_MAP}
    assert "nobody knows what else is in it" in look(place).report([], [])["stays"][-1]
    place.cluster.denied = {Right("delete", "", "namespaces")}
    assert "the user of context fake may not delete it" in look(place).report([], [])["stays"][-1]


def test_data_is_counted_before_and_only_that_of_this_mirror_goes(place: Place) -> None:
    place.store.sizes = {f"docker-hub/{number}": 10 for number in range(2500)} | {"docker-hub-2/a": 1, "other": 1}
    report = look(place, purge=True).report([], [])
    assert report["data"] == {
        "bucket": "layers",
        "prefixes": ["docker-hub/"],
        "objects": 2500,
        "bytes": 25000,
        "complete": True,
    }
    assert report["stays"][0] == "the bucket layers, without the data of this mirror"
    done = destroy(place, purge=True)
    assert {"name": "data", "changed": True, "detail": "2,500 objects removed"} in done["steps"]
    assert sorted(place.store.sizes) == ["docker-hub-2/a", "other"]


def test_data_is_left_alone_unless_asked_for_and_can_go_later(place: Place) -> None:
    place.store.sizes = {"docker-hub/a": 10}
    destroy(place)
    assert place.store.sizes
    assert look(place).is_empty
    assert not look(place, purge=True).is_empty
    destroy(place, purge=True)
    assert (place.store.sizes, look(place, purge=True).is_empty) == ({}, True)


def test_a_bucket_that_is_gone_has_no_data(place: Place) -> None:
    place.store.exists = False
    assert destroy(place, purge=True)["changed"]
    assert look(place, purge=True).is_empty


def test_a_bucket_that_refuses_stops_everything_before_anything_is_removed(place: Place) -> None:
    place.store.failure = StorageError("the S3 key is refused")
    with pytest.raises(StorageError):
        look(place, purge=True)
    assert place.cluster.get(DEPLOYMENT, "regmirror-auth")


def test_a_delete_that_fails_names_the_object_and_the_next_run_goes_on(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = place.cluster.delete

    def refusing(kind: Kind, name: str) -> None:
        if name == "regmirror-bundle":
            raise ClusterError(f"cannot delete {kind.kind} {name}: a webhook says no")
        real(kind, name)

    monkeypatch.setattr(place.cluster, "delete", refusing)
    with pytest.raises(
        PartlyAppliedError, match=r"the removal is incomplete: RM200: .*Secret regmirror-bundle"
    ) as caught:
        destroy(place)
    assert "changed: regmirror-ingress (removed)" in caught.value.message
    monkeypatch.undo()
    assert look(place).report([], [])["goes"][0] == "Secret regmirror-bundle"
    destroy(place)
    assert look(place).is_empty


def test_a_release_that_cannot_be_removed_keeps_its_secrets(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    real = place.helm.uninstall

    async def refusing(name: str) -> None:
        if name == "regmirror-auth":
            raise HelmError("helm uninstall failed: no")
        await real(name)

    monkeypatch.setattr(place.helm, "uninstall", refusing)
    with pytest.raises(PartlyAppliedError, match="regmirror-auth: helm uninstall failed: no"):
        destroy(place)
    assert place.cluster.get(SECRET, "regmirror-auth-config")


def test_pods_are_waited_for_and_named_when_they_do_not_end(place: Place) -> None:
    labels = {"app.kubernetes.io/instance": "regmirror-redis", "app.kubernetes.io/part-of": "regmirror"}
    put(place.cluster, POD, "redis-0", labels=labels, finalizers=["example.com/hold"])
    with pytest.raises(Exception, match=r"redis-0 \(held by the finalizer example.com/hold\)") as caught:
        destroy(place, seconds=0.5)
    assert getattr(caught.value, "exit_code", None) is ExitCode.TIMED_OUT
    assert look(place).report([], [])["goes"][0] == "Helm release regmirror-redis, with its pods"
    place.cluster.delete(POD, "redis-0")
    destroy(place)
    assert look(place).is_empty


@pytest.mark.parametrize("right", destroy_rights())
def test_a_right_that_is_missing_is_told_before_anything_is_removed(place: Place, right: Right) -> None:
    place.cluster.denied = {right}
    with pytest.raises(PermissionDeniedError, match=str(right)):
        destroy(place)
    assert place.cluster.get(DEPLOYMENT, "regmirror-auth")
