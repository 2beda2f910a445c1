"""Before anything is changed, each thing that would make the deployment fail is reported."""

from __future__ import annotations

import asyncio
import re

import pytest

from regmirror.config.model import Mirror
from regmirror.deploy.preflight import preflight_steps
from regmirror.deploy.rights import deploy_rights
from regmirror.desired.assets import asset_directory
from regmirror.errors import ClusterError, ConfigurationError, HelmMissingError, PermissionDeniedError, RegmirrorError
from regmirror.ports.cluster import INGRESS, INGRESS_CLASS, SERVICE_ACCOUNT, Object, Right
from regmirror.steps.runner import run_steps
from regmirror.steps.step import Done
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.fakes.connections import FakeConnections
from tests.fakes.helm import FakeHelm
from tests.fakes.progress import RecordedProgress, RecordedWaiting

NO_TRAEFIK = "ingress.className: the cluster has no IngressClass traefik"
DEFAULT = {"ingressclass.kubernetes.io/is-default-class": "true"}


def ingress_class(name: str, annotations: dict[str, str] | None = None) -> Object:
    metadata: Object = {"name": name, "annotations": annotations}
    spec = {"controller": "traefik.io/ingress-controller"}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": metadata, "spec": spec}


def definition(name: str) -> Object:
    kind = "CustomResourceDefinition"
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": kind, "metadata": {"name": name}}


def issuer(kind: str, name: str) -> Object:
    return {"apiVersion": "cert-manager.io/v1", "kind": kind, "metadata": {"name": name}}


def ingress(namespace: str, *hosts: str) -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "shop", "namespace": namespace},
        "spec": {"rules": [{"host": host} for host in hosts]},
    }


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster([ingress_class("traefik", DEFAULT), ingress_class("nginx")])


def check(name: str, cluster: FakeCluster, mirror: Mirror | None = None, helm: FakeHelm | None = None) -> Done:
    steps = preflight_steps(FakeConnections(mirror or samples.mirror(), cluster, helm or FakeHelm(cluster)))
    (step,) = [step for step in steps if step.name == name]
    done: Done = asyncio.run(step.apply(RecordedWaiting()))
    assert not done.changed
    return done


def ask(name: str, cluster: FakeCluster, mirror: Mirror | None = None, helm: FakeHelm | None = None) -> str:
    done = check(name, cluster, mirror, helm)
    assert not done.skipped
    return done.detail


def error_of(
    kind: type[RegmirrorError], name: str, cluster: FakeCluster, mirror: Mirror | None = None
) -> RegmirrorError:
    with pytest.raises(kind) as caught:
        ask(name, cluster, mirror)
    return caught.value


def test_a_good_cluster_is_described_in_a_few_words(cluster: FakeCluster) -> None:
    assert ask("cluster", cluster) == "1.37, context fake"
    assert ask("rights", cluster) == "namespace regmirror"
    assert ask("namespace", cluster) == "regmirror"
    assert ask("pods", cluster) == "fixed user IDs"
    assert ask("ingress-class", cluster) == "traefik"
    assert ask("host", cluster) == "mirror.example.com"
    assert ask("helm", cluster) == "3.17"


def test_checks_that_need_the_api_server_wait_for_its_first_answer(cluster: FakeCluster) -> None:
    steps = preflight_steps(FakeConnections(samples.mirror(), cluster, FakeHelm(cluster)))
    assert {step.name for step in steps if step.needs == ("cluster",)} == {
        "rights",
        "namespace",
        "pods",
        "ingress-class",
        "host",
        "certificate",
    }


def test_an_old_cluster_is_refused(cluster: FakeCluster) -> None:
    cluster.server_version = (1, 29)
    error = error_of(ClusterError, "cluster", cluster)
    assert error.message == "the cluster runs Kubernetes 1.29, but 1.30 or newer is required"


def test_missing_rights_are_named(cluster: FakeCluster) -> None:
    cluster.denied = {Right("patch", "apps", "deployments"), Right("delete", "", "secrets")}
    error = error_of(PermissionDeniedError, "rights", cluster)
    assert error.message.endswith("may not, in namespace regmirror: delete secrets, patch deployments.apps")


def test_a_namespace_that_cannot_be_created_must_exist() -> None:
    right = Right("create", "", "namespaces")
    absent, present = FakeCluster(exists=False), FakeCluster()
    assert ask("rights", absent) == "namespace regmirror"
    absent.denied = present.denied = {right}
    assert ask("rights", present) == "namespace regmirror"
    error = error_of(PermissionDeniedError, "rights", absent)
    assert "namespace regmirror does not exist" in error.message
    assert error.hint == "ask an administrator to run: kubectl create namespace regmirror"


def test_all_that_the_charts_hold_may_be_written() -> None:
    documents = [
        document
        for template in asset_directory("charts").glob("*/templates/*.yaml")
        for document in re.findall(r"^apiVersion: (?:(\S+)/)?v\d\S*\nkind: (\w+)$", template.read_text(), re.MULTILINE)
    ]
    plurals = {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies"}
    held = {(group, plurals.get(kind, kind.lower() + "s")) for group, kind in documents}
    assert ("apps", "deployments") in held
    policies = {"enabled": True, "ingressFrom": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}
    storage = {"filesystem": {"size": "1Gi", "accessMode": "ReadWriteMany"}}
    registry = {"ttl": 0, "autoscaling": {"maxReplicas": 2}, "serviceAccount": {"create": True}}
    ingress = {"gateway": {"parentRefs": [{"name": "public"}], "listenerSet": {}}, "issuer": {"name": "le"}}
    monitoring = {"scrape": "podMonitor", "alerts": True}
    others = {"networkPolicies": policies, "ingress": ingress, "monitoring": monitoring, "verification": {}}
    rights = deploy_rights(samples.mirror(storage=storage, registry=registry, **others))
    for verb in ("get", "create", "patch", "update", "delete"):
        assert {Right(verb, group, kind) for group, kind in held} <= set(rights)


def test_one_replica_needs_no_disruption_budget() -> None:
    assert not [right for right in deploy_rights(samples.mirror()) if right.group == "policy"]


def test_openshift_requires_that_the_file_says_who_sets_user_ids(cluster: FakeCluster) -> None:
    cluster.unknown_kinds = set()
    error = error_of(ConfigurationError, "pods", cluster)
    assert error.message.startswith("podSecurity: the SecurityContextConstraints of this cluster refuse the user IDs")
    assert str(error.hint).startswith("set podSecurity: assigned; or podSecurity: fixed")
    for chosen in ("assigned", "fixed"):
        assert ask("pods", cluster, samples.mirror(podSecurity=chosen)) == f"{chosen} user IDs"


def test_a_named_service_account_must_exist(cluster: FakeCluster) -> None:
    mirror = samples.mirror(registry={"serviceAccount": "mirror-s3"}, auth={"serviceAccount": {"create": True}})
    error = error_of(ConfigurationError, "pods", cluster, mirror)
    assert error.message == "registry.serviceAccount: namespace regmirror has no ServiceAccount mirror-s3"
    assert error.hint == "kubectl -n regmirror create serviceaccount mirror-s3; or set create: true"
    cluster.hidden = {SERVICE_ACCOUNT}
    assert check("pods", cluster, mirror).skipped
    cluster.hidden = set()
    cluster.put({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "mirror-s3"}})
    assert ask("pods", cluster, mirror) == "fixed user IDs, ServiceAccount mirror-s3"


@pytest.mark.parametrize(
    ("classes", "wanted", "message", "hint"),
    [
        (
            ["nginx"],
            "traefik",
            "ingress.className: the cluster has no IngressClass traefik",
            "set ingress.className to one of: nginx",
        ),
        (
            [],
            "traefik",
            "ingress.className: the cluster has no IngressClass traefik",
            "install an Ingress controller, or use a Gateway with ingress.gateway; the cluster has no IngressClass",
        ),
        (
            ["nginx", "haproxy"],
            None,
            "the cluster has no default IngressClass",
            "set ingress.className to one of: haproxy, nginx",
        ),
    ],
)
def test_an_ingress_class_that_is_not_there_is_refused(
    classes: list[str], wanted: str | None, message: str, hint: str
) -> None:
    cluster = FakeCluster([ingress_class(name) for name in classes])
    error = error_of(ConfigurationError, "ingress-class", cluster, samples.mirror(ingress={"className": wanted}))
    assert (error.message, error.hint) == (message, hint)


def test_a_host_of_another_namespace_is_not_taken_over(cluster: FakeCluster) -> None:
    mirror = samples.mirror(upstreams=samples.TWO_UPSTREAMS)
    cluster.elsewhere = [ingress("regmirror", "mirror.example.com"), ingress("shop", "shop.example.com")]
    assert ask("host", cluster, mirror) == "mirror.example.com, quay.example.com"
    cluster.elsewhere.append(ingress("other", "a.example.com", "quay.example.com"))
    error = error_of(ConfigurationError, "host", cluster, mirror)
    assert error.message == "host: quay.example.com is already used by the Ingress shop in namespace other"


def test_a_missing_helm_is_reported(cluster: FakeCluster) -> None:
    helm = FakeHelm(cluster)
    helm.server_version = None
    with pytest.raises(HelmMissingError):
        ask("helm", cluster, helm=helm)


def test_hosts_of_namespaces_that_cannot_be_read_are_not_compared(cluster: FakeCluster) -> None:
    cluster.hidden = {INGRESS}
    done = check("host", cluster)
    assert done == Done("mirror.example.com not compared with other namespaces: no permission", skipped=True)


def test_classes_that_cannot_be_read_are_skipped_not_ticked(cluster: FakeCluster) -> None:
    """The owner of a single namespace can deploy into it."""
    cluster.hidden = {INGRESS_CLASS}
    mirror = samples.mirror(ingress={"className": "nginx"})
    done = check("ingress-class", cluster, mirror)
    assert done == Done("nginx not checked: no permission", skipped=True)


def test_a_namespace_that_is_being_deleted_is_refused(cluster: FakeCluster) -> None:
    metadata = {"name": "regmirror", "deletionTimestamp": "2026-11-23T12:00:00Z"}
    cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    error = error_of(ConfigurationError, "namespace", cluster)
    assert error.message == "namespace regmirror is being deleted"
    assert error.hint == "wait until it is gone: kubectl get namespace regmirror"


def test_checks_are_reported_in_their_order_each_error_with_its_hint() -> None:
    """A missing class and a missing issuer are two errors, on two lines."""
    cluster = FakeCluster([ingress_class("nginx")])
    mirror = samples.mirror(ingress={"issuer": {"name": "letsencrypt"}})
    progress = RecordedProgress()
    with pytest.raises(ConfigurationError) as caught:
        connections = FakeConnections(mirror, cluster, FakeHelm(cluster))
        asyncio.run(run_steps(preflight_steps(connections), progress, in_order=True))
    ended = [event.partition(":")[0] for event in progress.events if not event.startswith("started")]
    assert ended == [
        "finished Kubernetes",
        "finished Permissions",
        "finished Namespace",
        "finished Pods",
        "failed Ingress class",
        "finished Public host",
        "failed TLS certificate",
        "finished Helm",
    ]
    assert [line.split(":")[0].strip() for line in caught.value.message.splitlines()] == [
        "the cluster has no default IngressClass",
        "Try",
        "also RM100",
        "Try",
    ]
