"""A mirror that kubectl, Flux or Argo CD applied is not changed by regmirror."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from regmirror.deploy.diff import diff_mirror, plan_deployment
from regmirror.deploy.steps import DeployOptions
from regmirror.desired.applied_by import HELM_RELEASE, applied_by_others
from regmirror.destroy.run import plan_removal
from regmirror.errors import ExitCode, ManagedByGitOpsError
from regmirror.ports.cluster import CONFIG_MAP, DEPLOYMENT, INGRESS, LEASE, NAMESPACE, POD, SECRET, SERVICE, Kind
from tests.unit.deploying import Place
from tests.unit.rotating import FORCED, RotationHarness, run

FLUX = {"labels": {"kustomize.toolkit.fluxcd.io/name": "mirror"}}
HELM_BY_FLUX = {"labels": {"helm.toolkit.fluxcd.io/name": "auth"}, "annotations": {HELM_RELEASE: "regmirror-auth"}}
ARGO = {"annotations": {"argocd.argoproj.io/tracking-id": "auth:apps/Deployment:regmirror/regmirror-auth"}}
KUBECTL = {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}
KINDS = (DEPLOYMENT, SERVICE, CONFIG_MAP, INGRESS, POD, SECRET, LEASE)


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"annotations": {HELM_RELEASE: "regmirror-auth"}}, None),
        (FLUX, "Flux"),
        (HELM_BY_FLUX, "Flux"),
        (ARGO, "Argo CD"),
        (KUBECTL, "kubectl or a GitOps controller"),
        ({"labels": None, "annotations": None}, "kubectl or a GitOps controller"),
    ],
)
def test_marks_show_what_applied_an_object(metadata: dict[str, Any], expected: str | None) -> None:
    assert applied_by_others(metadata) == expected


@pytest.fixture
def place() -> Place:
    """A mirror that ``deploy`` applied."""
    made = Place()
    made.deploy()
    return made


def reapply(place: Place, marks: dict[str, Any], *kinds: Kind) -> None:
    """Let the objects look as if something else than Helm had applied them, without Helm's records."""
    for record in place.cluster.select(SECRET, "owner=helm"):
        place.cluster.delete(SECRET, record["metadata"]["name"])
    for kind in kinds or (DEPLOYMENT, SERVICE, INGRESS):
        for found in place.cluster.select(kind, "app.kubernetes.io/part-of=regmirror"):
            metadata = found["metadata"]
            metadata["annotations"] = dict(marks.get("annotations", {}))
            metadata["labels"] |= marks.get("labels", {})
            place.cluster.put(found)


def contents(place: Place) -> list[Any]:
    return [place.cluster.select(kind) for kind in (*KINDS, NAMESPACE)]


def deploy(place: Place) -> None:
    place.deploy()


def dry_run(place: Place) -> None:
    asyncio.run(plan_deployment(place.connected(), place.progress, DeployOptions()))


def destroy(place: Place) -> None:
    asyncio.run(plan_removal(place.connected(), purge_data=False))


@pytest.mark.parametrize("command", [deploy, dry_run, destroy])
@pytest.mark.parametrize("marks", [FLUX, HELM_BY_FLUX, ARGO, KUBECTL])
def test_a_mirror_of_others_is_refused_before_anything_changes(
    place: Place, marks: dict[str, Any], command: Callable[[Place], None]
) -> None:
    reapply(place, marks)
    place.environ["S3_SECRET"] = "another"
    before = contents(place)
    with pytest.raises(ManagedByGitOpsError, match="managed with GitOps: Deployment regmirror-") as caught:
        command(place)
    assert contents(place) == before
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.hint is not None


def hint_of(place: Place) -> str:
    with pytest.raises(ManagedByGitOpsError) as caught:
        destroy(place)
    return caught.value.hint or ""


def test_the_way_to_remove_it_depends_on_what_applied_it(place: Place) -> None:
    reapply(place, KUBECTL)
    assert hint_of(place).startswith("regmirror render | kubectl --context fake -n regmirror delete -f - ")
    reapply(place, ARGO)
    assert hint_of(place).startswith("delete its files from the repository of Argo CD, and let it prune; ")


@pytest.mark.parametrize("kind", [SERVICE, INGRESS])
def test_a_removal_is_refused_although_the_deployments_are_gone(place: Place, kind: Kind) -> None:
    reapply(place, KUBECTL)
    for other in {DEPLOYMENT, SERVICE, INGRESS} - {kind}:
        for found in place.cluster.select(other):
            place.cluster.delete(other, found["metadata"]["name"])
    with pytest.raises(ManagedByGitOpsError, match=f"{kind.kind} regmirror-"):
        destroy(place)


def test_a_removal_is_refused_if_the_records_of_helm_are_gone(place: Place) -> None:
    """As after docs/guides/gitops.md "Move from deploy to Git": the objects still have Helm's annotations."""
    for record in place.cluster.select(SECRET, "owner=helm"):
        place.cluster.delete(SECRET, record["metadata"]["name"])
    with pytest.raises(ManagedByGitOpsError, match="applied by kubectl, or its Helm release was deleted"):
        destroy(place)


def test_an_object_that_a_finalizer_delays_does_not_stop_a_second_removal(place: Place) -> None:
    removal = asyncio.run(plan_removal(place.connected(), purge_data=False))
    (ingress,) = place.cluster.select(INGRESS)
    assert removal.inventory.releases
    asyncio.run(place.helm.uninstall("regmirror-ingress"))
    ingress["metadata"] |= {"deletionTimestamp": "now", "finalizers": ["elbv2.k8s.aws/resources"]}
    place.cluster.put(ingress)
    destroy(place)


def test_the_result_of_a_verification_does_not_stop_a_removal(place: Place) -> None:
    """It is applied by the job, not by Helm, and the CronJob owns it."""
    labels = {"app.kubernetes.io/part-of": "regmirror"}
    owners = [{"apiVersion": "batch/v1", "kind": "CronJob", "name": "regmirror-verification", "uid": "1"}]
    metadata = {"name": "regmirror-verification-result", "labels": labels, "ownerReferences": owners}
    place.cluster.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {}})
    destroy(place)


def test_a_diff_lists_the_ownership_as_a_missing_prerequisite(place: Place) -> None:
    reapply(place, KUBECTL)
    (missing,) = asyncio.run(diff_mirror(place.connected())).prerequisites
    assert missing.name == "namespace"
    assert missing.message.startswith("this mirror is managed with GitOps: ")


def test_other_objects_of_the_namespace_are_of_no_interest(place: Place) -> None:
    place.cluster.put({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "grafana"}, "spec": {}})
    assert not place.deploy().changed
    destroy(place)


def test_a_rotation_is_refused() -> None:
    env = RotationHarness()
    found = env.cluster.get(DEPLOYMENT, "regmirror-auth")
    assert found is not None
    found["metadata"] |= {"annotations": {}}
    env.cluster.put(found)
    before = env.cluster.select(SECRET)
    with pytest.raises(ManagedByGitOpsError, match="Deployment regmirror-auth was applied by kubectl"):
        env.rotate(FORCED)
    with pytest.raises(ManagedByGitOpsError):
        run(env.rotation().plan())
    assert env.cluster.select(SECRET) == before
