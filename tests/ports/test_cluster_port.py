"""What every implementation of the Cluster port does."""

from __future__ import annotations

import time
from typing import Any

import pytest

from regmirror.errors import ClusterError, ConflictError
from regmirror.ports.cluster import (
    CLUSTER_ISSUER,
    DEPLOYMENT,
    LEASE,
    NAMESPACE,
    SECRET,
    SECURITY_CONTEXT_CONSTRAINTS,
    Applied,
    Cluster,
    Kind,
    Object,
    Right,
)
from regmirror.workloads.rollout import is_rolled_out
from tests.ports.conftest import Place

ROLLOUT_TIMEOUT = 300.0


def secret(name: str = "one", labels: dict[str, str] | None = None, **data: str) -> Object:
    metadata: dict[str, Any] = {"name": name, "labels": labels or {"app": "port"}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": data or {"a": "YQ=="}}


def names(found: list[Object]) -> list[str]:
    return sorted(one["metadata"]["name"] for one in found)


@pytest.fixture
def cluster(place: Place) -> Cluster:
    return place.cluster


def test_it_says_where_it_is(cluster: Cluster) -> None:
    assert cluster.context
    assert cluster.namespace
    assert cluster.version() >= (1, 30)


def test_permissions_are_reported(cluster: Cluster) -> None:
    assert cluster.may(Right("create", "", "secrets"))
    assert cluster.may(Right("patch", "apps", "deployments"))
    assert cluster.may(Right("get", "", "secrets", "one"))


def test_a_missing_object_is_none(cluster: Cluster) -> None:
    assert cluster.get(SECRET, "absent") is None
    assert cluster.get(CLUSTER_ISSUER._replace(kind="NoSuchKind"), "absent") is None
    assert cluster.select(SECRET, "app=absent") == []
    assert cluster.select(Kind("example.com/v1", "NoSuchKind")) == []


def test_an_object_is_created_kept_and_changed(cluster: Cluster) -> None:
    assert cluster.apply(secret(a="YQ==", b="Yg==")) is Applied.CREATED
    first = cluster.get(SECRET, "one")
    assert cluster.apply(secret(a="YQ==", b="Yg==")) is Applied.UNCHANGED
    assert cluster.get(SECRET, "one") == first
    assert cluster.apply(secret(a="YWE=")) is Applied.CHANGED
    found = cluster.get(SECRET, "one")
    assert found is not None
    assert found["data"] == {"a": "YWE="}
    assert found["type"] == "Opaque"
    assert found["metadata"]["labels"] == {"app": "port"}


def test_the_manifest_given_is_not_changed(cluster: Cluster) -> None:
    manifest = secret()
    cluster.apply(manifest)
    assert manifest == secret()


def test_a_preview_is_what_an_apply_would_leave_and_changes_nothing(cluster: Cluster) -> None:
    cluster.apply(secret(a="YQ==", b="Yg=="))
    before = cluster.get(SECRET, "one")
    preview = cluster.preview(secret(a="YWE=", b="Yg=="))
    assert preview["data"] == {"a": "YWE=", "b": "Yg=="}
    assert preview["metadata"]["labels"] == {"app": "port"}
    assert cluster.get(SECRET, "one") == before


def test_a_tried_creation_creates_nothing(cluster: Cluster) -> None:
    cluster.try_create(secret())
    assert cluster.get(SECRET, "one") is None


def test_a_kind_that_the_api_server_does_not_know_is_not_served(cluster: Cluster) -> None:
    assert cluster.serves(SECRET)
    assert not cluster.serves(SECURITY_CONTEXT_CONSTRAINTS)


def test_an_apply_keeps_the_fields_of_other_field_managers(place: Place) -> None:
    place.cluster.apply(secret(a="YQ==", b="Yg=="))
    added = secret(c="Yw==")
    added["metadata"]["labels"] = {"owner": "other"}
    place.apply_as("other", added)
    wanted = secret(a="YWE=")
    preview = place.cluster.preview(wanted)
    assert place.cluster.apply(wanted) is Applied.CHANGED
    live = place.cluster.get(SECRET, "one") or {}
    for seen in (preview, live):
        assert seen["data"] == {"a": "YWE=", "c": "Yw=="}
        assert seen["metadata"]["labels"] == {"app": "port", "owner": "other"}
    assert place.cluster.apply(wanted) is Applied.UNCHANGED


def test_an_apply_takes_a_field_from_another_field_manager(place: Place) -> None:
    place.cluster.apply(secret(a="YQ=="))
    place.apply_as("other", secret(a="YWE="))
    assert place.cluster.preview(secret(a="YQ=="))["data"] == {"a": "YQ=="}
    assert place.cluster.apply(secret(a="YQ==")) is Applied.CHANGED
    assert (place.cluster.get(SECRET, "one") or {})["data"] == {"a": "YQ=="}


def test_an_object_given_away_is_a_copy(cluster: Cluster) -> None:
    cluster.apply(secret())
    found = cluster.get(SECRET, "one")
    assert found is not None
    found["data"]["a"] = "changed"
    assert cluster.get(SECRET, "one") != found


def test_an_object_is_deleted_and_may_be_missing_already(cluster: Cluster) -> None:
    cluster.apply(secret())
    cluster.delete(SECRET, "one")
    assert cluster.get(SECRET, "one") is None
    cluster.delete(SECRET, "one")


def test_objects_are_selected_by_labels_and_fields(cluster: Cluster) -> None:
    cluster.apply(secret("one", {"app": "port", "part": "a"}))
    cluster.apply(secret("two", {"app": "port", "part": "b"}))
    cluster.apply(secret("three", {"app": "other"}))
    assert names(cluster.select(SECRET, "app=port")) == ["one", "two"]
    assert names(cluster.select(SECRET, "app=port,part=b")) == ["two"]
    assert names(cluster.select(SECRET, field_selector="metadata.name=three")) == ["three"]
    assert {"one", "two", "three"} <= set(names(cluster.select(SECRET)))


def test_the_contents_are_the_metadata_of_all_kinds(place: Place) -> None:
    place.cluster.apply(secret("one", a="canary=="))
    place.cluster.create(lease("first"))
    place.put_elsewhere(secret("elsewhere"))
    contents = place.cluster.contents()
    found = {(item["apiVersion"], item["kind"], item["metadata"]["name"]) for item in contents}
    assert {("v1", "Secret", "one"), ("coordination.k8s.io/v1", "Lease", "port")} <= found
    assert not {"elsewhere"} & {name for _, _, name in found}
    assert not {"Namespace", "Event", "Node"} & {kind for _, kind, _ in found}
    assert all(item.keys() == {"apiVersion", "kind", "metadata"} for item in contents)
    (one,) = [item for item in contents if item["metadata"]["name"] == "one"]
    assert one["metadata"]["labels"] == {"app": "port"}
    assert place.without_namespace.contents() == []


def test_other_namespaces_are_included_only_if_asked(place: Place) -> None:
    label = f"of-{place.cluster.namespace}"
    place.put_elsewhere(secret("elsewhere", {"app": label}))
    assert place.cluster.select(SECRET, f"app={label}") == []
    assert names(place.cluster.select(SECRET, f"app={label}", everywhere=True)) == ["elsewhere"]


def test_applying_into_a_missing_namespace_is_an_error(place: Place) -> None:
    with pytest.raises(ClusterError, match=f'namespaces "{place.without_namespace.namespace}" not found'):
        place.without_namespace.apply(secret())
    assert place.without_namespace.get(SECRET, "one") is None
    assert place.without_namespace.select(SECRET) == []
    place.without_namespace.delete(SECRET, "one")


def test_the_namespace_itself_is_found(cluster: Cluster) -> None:
    found = cluster.get(NAMESPACE, cluster.namespace)
    assert found is not None
    assert found["metadata"]["name"] == cluster.namespace


def test_a_pod_that_is_missing_has_no_log_and_no_ports(cluster: Cluster) -> None:
    for previous in (False, True):
        with pytest.raises(ClusterError, match="cannot read the log of absent"):
            cluster.log("absent", "main", 5, previous=previous)
    with pytest.raises(ClusterError, match="cannot forward port 80 of absent"), cluster.connect("absent", 80):
        pass


def idle_deployment(**container: Any) -> Object:
    """A Deployment without pods."""
    labels = {"app": "port"}
    containers = [{"name": "main", "image": "example.invalid/none:1", **container}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "idle"}, "spec": spec}


def test_a_preview_replaces_the_probe_of_another_field_manager(place: Place) -> None:
    place.apply_as("other", idle_deployment(livenessProbe={"httpGet": {"port": 80}}))
    preview = place.cluster.preview(idle_deployment(livenessProbe={"exec": {"command": ["true"]}}))
    probe = preview["spec"]["template"]["spec"]["containers"][0]["livenessProbe"]
    assert probe["exec"] == {"command": ["true"]}
    assert "httpGet" not in probe


def test_a_deployment_reports_how_far_it_is(cluster: Cluster) -> None:
    cluster.apply(idle_deployment())
    deadline = time.monotonic() + ROLLOUT_TIMEOUT
    while not is_rolled_out(cluster.get(DEPLOYMENT, "idle") or {}):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def lease(holder: str) -> Object:
    metadata = {"name": "port"}
    return {
        "apiVersion": LEASE.api_version,
        "kind": LEASE.kind,
        "metadata": metadata,
        "spec": {"holderIdentity": holder},
    }


def test_only_the_first_creates_an_object(cluster: Cluster) -> None:
    cluster.create(lease("first"))
    with pytest.raises(ConflictError):
        cluster.create(lease("second"))
    assert (cluster.get(LEASE, "port") or {})["spec"]["holderIdentity"] == "first"


def test_an_object_is_replaced_only_as_it_was_read(cluster: Cluster) -> None:
    cluster.create(lease("first"))
    found, stale = cluster.get(LEASE, "port"), cluster.get(LEASE, "port")
    assert found is not None and stale is not None
    cluster.replace({**found, "spec": {"holderIdentity": "second"}})
    for holder in ("third", "fourth"):
        with pytest.raises(ConflictError):
            cluster.replace({**stale, "spec": {"holderIdentity": holder}})
        cluster.delete(LEASE, "port")


def test_an_object_is_applied_only_to_the_version_named(cluster: Cluster) -> None:
    cluster.apply(secret(a="YQ=="))
    version = (cluster.get(SECRET, "one") or {})["metadata"]["resourceVersion"]
    cluster.apply(secret(a="YWE="))
    outdated = secret(a="YQ==")
    outdated["metadata"]["resourceVersion"] = version
    with pytest.raises(ConflictError):
        cluster.apply(outdated)
    assert (cluster.get(SECRET, "one") or {})["data"] == {"a": "YWE="}
