"""Removing a mirror from a cluster, a Helm and a bucket in memory: what deploy created is removed, the rest is kept."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from regmirror.cli.app import app
from regmirror.config.documents import StepReport
from regmirror.destroy.report import DataReport, DestroyReport
from regmirror.destroy.rights import destroy_rights
from regmirror.destroy.run import Removal, plan_removal
from regmirror.errors import (
    ClusterError,
    ExitCode,
    ForeignDataError,
    HelmError,
    PartlyAppliedError,
    PermissionDeniedError,
    StorageError,
    StorageUnreachableError,
)
from regmirror.ports.cluster import DEPLOYMENT, EVENT, LEASE, NAMESPACE, POD, SECRET, Kind, Right
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.golden import check_golden
from tests.unit.deploying import EVERYTHING, Place
from tests.unit.transcript import connect, sort_parallel_steps, transcript

CONFIG_MAP = Kind("v1", "ConfigMap")
DATA = "docker-hub/docker/registry/v2/"
OWNER = "docker-hub/.regmirror-owner.json"
RELEASES = [f"Helm release {name}, with its pods" for name in sorted(EVERYTHING)]


@pytest.fixture
def env() -> Place:
    """A deployed mirror in a namespace that deploy created."""
    made = Place()
    made.deploy()
    return made


def test_data_that_this_machine_cannot_reach_is_not_removed(env: Place) -> None:
    env.store.failure = StorageUnreachableError("no such host")
    with pytest.raises(StorageUnreachableError) as caught:
        plan(env, purge=True)
    assert caught.value.hint == "run it on a machine that reaches the store, or omit --purge-data"


def plan(env: Place, *, purge: bool = False) -> Removal:
    return asyncio.run(plan_removal(env.connected(), purge_data=purge))


def destroy(env: Place, *, purge: bool = False, seconds: float = 10) -> DestroyReport:
    removal = plan(env, purge=purge)
    return asyncio.run(removal.execute(env.progress, timedelta(seconds=seconds)))


def put(cluster: FakeCluster, kind: Kind, name: str, **metadata: Any) -> None:
    cluster.put({"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name, **metadata}})


def test_a_preview_lists_what_is_removed_and_what_is_kept(env: Place) -> None:
    report = plan(env).preview()
    assert report.dry_run
    assert report.removed[:4] == RELEASES
    assert report.removed[4:6] == ["Secret regmirror-auth-config", "Secret regmirror-bundle"]
    assert report.removed[-1] == "Namespace regmirror"
    assert report.kept == ["the bucket layers, with all its data", "volumes: the mirror has none"]
    assert env.cluster.get(DEPLOYMENT, "regmirror-auth")


def test_everything_that_deploy_created_is_removed(env: Place) -> None:
    report = destroy(env)
    assert report.changed
    assert report.steps[0].name == "regmirror-ingress"
    assert (env.cluster.select(DEPLOYMENT), env.cluster.select(SECRET)) == ([], [])
    assert env.cluster.get(NAMESPACE, "regmirror") is None


def test_a_second_run_has_nothing_to_remove(env: Place) -> None:
    destroy(env)
    assert plan(env).is_empty
    report = destroy(env)
    assert (report.changed, report.removed, report.steps) == (False, [], [])


def test_remains_of_a_rotation_and_of_a_removed_upstream_are_removed(env: Place) -> None:
    put(env.cluster, SECRET, "regmirror-signing-next", labels={"app.kubernetes.io/managed-by": "regmirror"})
    objects = [{"kind": "Service", "metadata": {"name": "x", "labels": {"app.kubernetes.io/name": "registry"}}}]
    env.helm.record("regmirror-removed", 1, "deployed", [{"apiVersion": "v1", **objects[0]}])
    (detail,) = (step.detail for step in destroy(env).steps if step.name == "secrets")
    assert detail == "7 Secrets removed"
    assert env.cluster.get(LEASE, "regmirror-change") is None
    assert env.cluster.select(SECRET) == []


def test_objects_of_others_are_kept_together_with_the_namespace(env: Place) -> None:
    put(env.cluster, SECRET, "regmirror-tls")
    put(env.cluster, CONFIG_MAP, "theirs")
    put(env.cluster, CONFIG_MAP, "kube-root-ca.crt")
    objects = [{"kind": "Service", "metadata": {"name": "x", "labels": {"app.kubernetes.io/name": "grafana"}}}]
    env.helm.record("dashboards", 1, "deployed", objects)
    reason = "it also contains ConfigMap theirs, Secret regmirror-tls, Secret sh.helm.release.v1.dashboards.v1"
    assert plan(env).preview().kept[-1] == f"Namespace regmirror: {reason}"
    assert destroy(env).steps[-1].detail == f"regmirror kept: {reason}"
    names = [secret["metadata"]["name"] for secret in env.cluster.select(SECRET)]
    assert names == ["regmirror-tls", "sh.helm.release.v1.dashboards.v1"]
    assert env.cluster.get(NAMESPACE, "regmirror")
    assert plan(env).is_empty


def test_a_namespace_that_deploy_did_not_create_is_kept_with_the_command_that_removes_it(env: Place) -> None:
    put(env.cluster, NAMESPACE, "regmirror")
    assert destroy(env).steps[-1].detail == (
        "regmirror kept: deploy did not create it; to remove it: kubectl --context fake delete namespace regmirror"
    )
    assert env.cluster.get(NAMESPACE, "regmirror")


def test_a_namespace_is_kept_if_its_contents_are_unknown_or_it_may_not_be_deleted(env: Place) -> None:
    env.cluster.hidden = {Kind("v1", "ServiceAccount")}
    assert "its other contents are unknown: " in plan(env).preview().kept[-1]
    env.cluster.denied = {Right("delete", "", "namespaces")}
    assert "the user of context fake is not allowed to delete it" in plan(env).preview().kept[-1]


@pytest.mark.parametrize(
    "kind",
    [
        Kind("external-secrets.io/v1", "ExternalSecret"),
        Kind("networking.k8s.io/v1", "NetworkPolicy"),
        Kind("gateway.networking.k8s.io/v1", "HTTPRoute"),
        Kind("autoscaling/v2", "HorizontalPodAutoscaler"),
        Kind("example.com/v1alpha1", "Database"),
    ],
)
def test_a_namespace_is_kept_with_any_kind_of_object_of_others(env: Place, kind: Kind) -> None:
    put(env.cluster, kind, "theirs")
    assert plan(env).preview().kept[-1] == f"Namespace regmirror: it also contains {kind.kind} theirs"
    assert destroy(env).steps[-1].detail == f"regmirror kept: it also contains {kind.kind} theirs"
    assert env.cluster.get(kind, "theirs")
    assert env.cluster.get(NAMESPACE, "regmirror")


def test_a_namespace_is_kept_while_an_api_does_not_answer(env: Place) -> None:
    env.cluster.silent_apis = ["metrics.k8s.io/v1beta1"]
    reason = "its other contents are unknown: the API metrics.k8s.io/v1beta1 does not answer"
    assert destroy(env).steps[-1].detail == f"regmirror kept: {reason}"
    assert env.cluster.get(NAMESPACE, "regmirror")


def test_what_belongs_to_another_object_does_not_keep_the_namespace_by_itself(env: Place) -> None:
    put(
        env.cluster, Kind("cert-manager.io/v1", "Certificate"), "tls", ownerReferences=[{"name": "regmirror-ingress-x"}]
    )
    assert "Namespace regmirror" in plan(env).preview().removed
    put(env.cluster, Kind("example.com/v1", "Database"), "theirs", uid="1")
    put(env.cluster, POD, "theirs-0", ownerReferences=[{"name": "theirs", "uid": "1"}])
    assert plan(env).preview().kept[-1] == "Namespace regmirror: it also contains Database theirs"
    put(env.cluster, POD, "of-a-node", ownerReferences=[{"name": "node-1", "uid": "2"}])
    assert plan(env).preview().kept[-1] == "Namespace regmirror: it also contains Database theirs, Pod of-a-node"


def test_the_lock_of_an_operation_and_events_do_not_keep_the_namespace(env: Place) -> None:
    put(env.cluster, LEASE, "regmirror-rotation")
    put(env.cluster, EVENT, "regmirror-auth.1")
    assert "Namespace regmirror" in plan(env).preview().removed


def test_data_is_counted_first_and_only_that_of_this_mirror_is_removed(env: Place) -> None:
    data = {f"{DATA}{number}": 10 for number in range(2500)}
    others = dict.fromkeys(["docker-hub-2/docker/registry/v2/a", "docker-hub/quay/docker/registry/v2/a", "other"], 1)
    env.store.sizes = data | {"docker-hub/scheduler-state.json": 5} | others
    report = plan(env, purge=True).preview()
    assert report.data == DataReport(bucket="layers", prefixes=[DATA], objects=2501, bytes=25005, complete=True)
    assert report.kept[0] == "the bucket layers, without the data of this mirror (it is removed)"
    done = destroy(env, purge=True)
    assert StepReport(name="data", changed=True, detail="2,501 objects removed") in done.steps
    assert env.store.sizes == others


def test_data_is_kept_without_purge_and_can_be_removed_later(env: Place) -> None:
    env.store.sizes = {f"{DATA}a": 10}
    destroy(env)
    assert env.store.sizes
    assert plan(env).is_empty
    assert not plan(env, purge=True).is_empty
    destroy(env, purge=True)
    assert (env.store.sizes, plan(env, purge=True).is_empty) == ({}, True)


def test_the_record_of_the_owner_is_removed_last(env: Place) -> None:
    env.store.sizes[f"{DATA}a"] = 10
    removed: list[str] = []
    env.store.removing = removed.append
    destroy(env, purge=True)
    assert removed == [f"{DATA}a", OWNER]


def test_data_of_another_mirror_is_not_removed(env: Place) -> None:
    env.store.sizes[f"{DATA}a"] = 10
    other = Place(store=env.store)
    with pytest.raises(
        ForeignDataError, match=r"docker-hub/ in the bucket layers belongs to mirror.example.com"
    ) as caught:
        plan(other, purge=True)
    assert "namespace regmirror of another cluster" in caught.value.message
    assert caught.value.hint
    assert f"aws s3 rm s3://layers/{OWNER}" in caught.value.hint
    assert env.cluster.get(DEPLOYMENT, "regmirror-auth")
    assert f"{DATA}a" in env.store.sizes


def test_data_that_was_taken_over_after_the_confirmation_is_not_removed(env: Place) -> None:
    env.store.sizes[f"{DATA}a"] = 10
    removal = plan(env, purge=True)
    Place(store=env.store).deploy(take_over=True)
    with pytest.raises(PartlyAppliedError, match="RM403"):
        asyncio.run(removal.execute(env.progress, timedelta(seconds=10)))
    assert f"{DATA}a" in env.store.sizes


def test_data_without_a_recorded_owner_is_removed(env: Place) -> None:
    env.store.sizes = {f"{DATA}a": 10}
    destroy(env, purge=True)
    assert env.store.sizes == {}


def test_a_missing_bucket_has_no_data(env: Place) -> None:
    env.store.exists = False
    assert destroy(env, purge=True).changed
    assert plan(env, purge=True).is_empty


def test_a_refused_bucket_stops_the_removal_before_anything_is_removed(env: Place) -> None:
    env.store.failure = StorageError("the S3 key is refused")
    with pytest.raises(StorageError):
        plan(env, purge=True)
    assert env.cluster.get(DEPLOYMENT, "regmirror-auth")


def test_a_failed_deletion_names_the_object_and_the_next_run_continues(
    env: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = env.cluster.delete

    def refusing(kind: Kind, name: str) -> None:
        if name == "regmirror-bundle":
            raise ClusterError(f"cannot delete {kind.kind} {name}: a webhook says no")
        real(kind, name)

    monkeypatch.setattr(env.cluster, "delete", refusing)
    with pytest.raises(
        PartlyAppliedError, match=r"the removal is incomplete: RM200: .*Secret regmirror-bundle"
    ) as caught:
        destroy(env)
    assert "changed: regmirror-ingress (removed)" in caught.value.message
    monkeypatch.undo()
    assert plan(env).preview().removed[0] == "Secret regmirror-bundle"
    destroy(env)
    assert plan(env).is_empty


def test_a_release_that_cannot_be_removed_keeps_its_secrets(env: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    real = env.helm.uninstall

    async def refusing(name: str) -> None:
        if name == "regmirror-auth":
            raise HelmError("helm uninstall failed: no")
        await real(name)

    monkeypatch.setattr(env.helm, "uninstall", refusing)
    with pytest.raises(PartlyAppliedError, match="regmirror-auth: helm uninstall failed: no"):
        destroy(env)
    assert env.cluster.get(SECRET, "regmirror-auth-config")


def test_pods_that_do_not_terminate_are_named(env: Place) -> None:
    labels = {"app.kubernetes.io/instance": "regmirror-redis", "app.kubernetes.io/part-of": "regmirror"}
    put(env.cluster, POD, "redis-0", labels=labels, finalizers=["example.com/hold"])
    with pytest.raises(Exception, match=r"redis-0 \(held by the finalizer example.com/hold\)") as caught:
        destroy(env, seconds=0.5)
    assert getattr(caught.value, "exit_code", None) is ExitCode.TIMED_OUT
    assert plan(env).preview().removed[0] == "Pods of regmirror-redis, which has no Helm release"
    env.cluster.delete(POD, "redis-0")
    destroy(env)
    assert plan(env).is_empty


@pytest.mark.parametrize("right", destroy_rights(samples.mirror()))
def test_a_missing_right_is_reported_before_anything_is_removed(env: Place, right: Right) -> None:
    env.cluster.denied = {right}
    with pytest.raises(PermissionDeniedError, match=str(right)):
        destroy(env)
    assert env.cluster.get(DEPLOYMENT, "regmirror-auth")


def test_a_namespace_that_others_created_and_use_is_kept_without_a_command_that_removes_it(env: Place) -> None:
    put(env.cluster, NAMESPACE, "regmirror")
    put(env.cluster, CONFIG_MAP, "theirs")
    assert plan(env).preview().kept[-1] == (
        "Namespace regmirror: deploy did not create it, and it also contains ConfigMap theirs"
    )


def test_pods_without_a_helm_release_are_not_called_a_helm_release(env: Place) -> None:
    labels = {"app.kubernetes.io/instance": "regmirror-quay", "app.kubernetes.io/part-of": "regmirror"}
    put(env.cluster, POD, "applied-by-kubectl", labels=labels)
    assert "Pods of regmirror-quay, which has no Helm release" in plan(env).preview().removed


def test_objects_written_after_the_count_explain_the_larger_number(env: Place) -> None:
    env.store.sizes = {f"{DATA}{number}": 10 for number in range(13)}
    removal = plan(env, purge=True)
    env.store.sizes |= {f"{DATA}late-{number}": 10 for number in range(3)}
    report = asyncio.run(removal.execute(env.progress, timedelta(seconds=10)))
    (detail,) = (step.detail for step in report.steps if step.name == "data")
    assert detail == "16 objects removed, 3 of them written since they were counted"


@pytest.fixture
def connected(env: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The command is connected to the mirror, which has cached something."""
    env.store.sizes = {f"{DATA}a": 1000, f"{DATA}b": 200}
    put(env.cluster, SECRET, "regmirror-tls")
    connect(monkeypatch, env.connected())
    return env


@pytest.mark.usefixtures("connected")
def test_a_dry_run() -> None:
    check_golden("transcripts/destroy-dry-run.txt", transcript("destroy", "--dry-run", "--purge-data"))


@pytest.mark.usefixtures("connected")
def test_a_removal_without_a_terminal_is_refused() -> None:
    check_golden("transcripts/destroy-refused.txt", transcript("destroy", "-n", "regmirror"))


def test_a_whole_removal(connected: Place) -> None:
    check_golden("transcripts/destroy.txt", sort_parallel_steps(transcript("destroy", "--yes")))
    assert connected.cluster.select(DEPLOYMENT) == []
    check_golden("transcripts/destroy-again.txt", transcript("destroy", "--yes"))


@pytest.mark.usefixtures("connected")
def test_the_document_of_a_removal() -> None:
    words = ["destroy", "--yes", "--purge-data", "--confirm-purge", "layers", "-o", "yaml"]
    text = CliRunner().invoke(app, words).stdout
    check_golden("documents/DestroyReport.yaml", text)
    DestroyReport.model_validate(yaml.safe_load(text))
