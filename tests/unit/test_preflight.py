"""Before anything is changed, each thing that would make the deployment fail is told by its name."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from regmirror.config.model import Mirror
from regmirror.deploy.preflight import preflight_steps
from regmirror.deploy.rights import deploy_rights
from regmirror.desired.assets import asset_directory
from regmirror.errors import ClusterError, ConfigurationError, HelmMissingError, PermissionDeniedError, RegmirrorError
from regmirror.ports.cluster import CLUSTER_ISSUER, INGRESS, INGRESS_CLASS, Object, Right
from regmirror.steps.step import Done
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.fakes.connections import FakeConnections
from tests.fakes.helm import FakeHelm
from tests.fakes.progress import RecordedProgress

DEFAULT = {"ingressclass.kubernetes.io/is-default-class": "true"}


def ingress_class(name: str, annotations: dict[str, str] | None = None) -> Object:
    metadata: Object = {"name": name, "annotations": annotations}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": metadata}


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


def ask(name: str, cluster: FakeCluster, mirror: Mirror | None = None, helm: FakeHelm | None = None) -> str:
    steps = preflight_steps(FakeConnections(mirror or samples.mirror(), cluster, helm or FakeHelm(cluster)))
    (step,) = [step for step in steps if step.name == name]
    done: Done = asyncio.run(step.apply(RecordedProgress()))
    assert not done.changed
    return done.detail


def invalid_file_error(
    kind: type[RegmirrorError], name: str, cluster: FakeCluster, mirror: Mirror | None = None
) -> RegmirrorError:
    with pytest.raises(kind) as caught:
        ask(name, cluster, mirror)
    return caught.value


def test_a_good_cluster_is_told_in_few_words(cluster: FakeCluster) -> None:
    assert ask("cluster", cluster) == "1.37, context fake"
    assert ask("rights", cluster) == "namespace regmirror"
    assert ask("ingress-class", cluster) == "class traefik"
    assert ask("host", cluster) == "mirror.example.com"
    assert ask("helm", cluster) == "3.17"


def test_questions_that_need_the_api_server_wait_for_its_first_answer(cluster: FakeCluster) -> None:
    steps = preflight_steps(FakeConnections(samples.mirror(), cluster, FakeHelm(cluster)))
    assert {step.name for step in steps if step.needs == ("cluster",)} == {
        "rights",
        "ingress-class",
        "host",
        "certificate",
    }


def test_an_old_cluster_is_refused(cluster: FakeCluster) -> None:
    cluster.server_version = (1, 29)
    error = invalid_file_error(ClusterError, "cluster", cluster)
    assert error.message == "the cluster runs Kubernetes 1.29; 1.30 is needed"


def test_missing_rights_are_named(cluster: FakeCluster) -> None:
    cluster.denied = {Right("patch", "apps", "deployments"), Right("delete", "", "secrets")}
    error = invalid_file_error(PermissionDeniedError, "rights", cluster)
    assert error.message.endswith("may not, in namespace regmirror: delete secrets, patch deployments.apps")


def test_a_namespace_that_cannot_be_created_must_exist() -> None:
    right = Right("create", "", "namespaces")
    absent, present = FakeCluster(exists=False), FakeCluster()
    assert ask("rights", absent) == "namespace regmirror"
    absent.denied = present.denied = {right}
    assert ask("rights", present) == "namespace regmirror"
    error = invalid_file_error(PermissionDeniedError, "rights", absent)
    assert "there is no namespace regmirror" in error.message
    assert error.hint == "have it created: kubectl create namespace regmirror"


def test_all_that_the_charts_hold_may_be_written() -> None:
    """HTTPRoute is left out: no configuration asks for it yet."""
    documents = [
        document
        for template in asset_directory("charts").glob("*/templates/*.yaml")
        for document in re.findall(r"^apiVersion: (?:(\S+)/)?v\d\S*\nkind: (\w+)$", template.read_text(), re.MULTILINE)
    ]
    plurals = {"Ingress": "ingresses"}
    held = {(group, plurals.get(kind, kind.lower() + "s")) for group, kind in documents if kind != "HTTPRoute"}
    assert ("apps", "deployments") in held
    rights = deploy_rights(samples.mirror(registry={"replicas": 2, "ttl": 0}))
    for verb in ("get", "create", "patch", "update", "delete"):
        assert {Right(verb, group, kind) for group, kind in held} <= set(rights)


def test_one_replica_needs_no_disruption_budget() -> None:
    assert not [right for right in deploy_rights(samples.mirror()) if right.group == "policy"]


@pytest.mark.parametrize(
    ("classes", "wanted", "message", "hint"),
    [
        (["nginx"], "traefik", "ingress.className: there is no IngressClass traefik", "the cluster has: nginx"),
        ([], "traefik", "ingress.className: there is no IngressClass traefik", "the cluster has: none"),
        (
            ["nginx", "haproxy"],
            None,
            "the cluster has no default IngressClass",
            "set ingress.className; the cluster has: haproxy, nginx",
        ),
    ],
)
def test_an_ingress_class_that_is_not_there_is_refused(
    classes: list[str], wanted: str | None, message: str, hint: str
) -> None:
    cluster = FakeCluster([ingress_class(name) for name in classes])
    error = invalid_file_error(
        ConfigurationError, "ingress-class", cluster, samples.mirror(ingress={"className": wanted})
    )
    assert (error.message, error.hint) == (message, hint)


@pytest.mark.parametrize("kind", ["ClusterIssuer", "Issuer"])
def test_the_issuer_of_the_certificate_must_be_there(cluster: FakeCluster, kind: str) -> None:
    mirror = samples.mirror(ingress={"className": "nginx", "issuer": {"name": "le", "kind": kind}})
    error = invalid_file_error(ConfigurationError, "ingress-class", cluster, mirror)
    assert error.message == f"ingress.issuer: cert-manager has no {kind} le"
    cluster.put(issuer(kind, "le"))
    assert ask("ingress-class", cluster, mirror) == "class nginx"


def test_a_host_of_another_namespace_is_not_taken_over(cluster: FakeCluster) -> None:
    mirror = samples.mirror(upstreams=samples.TWO_UPSTREAMS)
    cluster.elsewhere = [ingress("regmirror", "mirror.example.com"), ingress("shop", "shop.example.com")]
    assert ask("host", cluster, mirror) == "mirror.example.com, quay.example.com"
    cluster.elsewhere.append(ingress("other", "a.example.com", "quay.example.com"))
    error = invalid_file_error(ConfigurationError, "host", cluster, mirror)
    assert error.message == "host: quay.example.com is taken by the Ingress shop of namespace other"


def test_a_missing_helm_is_told(cluster: FakeCluster) -> None:
    helm = FakeHelm(cluster)
    helm.server_version = None
    with pytest.raises(HelmMissingError):
        ask("helm", cluster, helm=helm)


def test_hosts_that_may_not_be_looked_at_are_not_compared(cluster: FakeCluster) -> None:
    cluster.hidden = {INGRESS}
    assert ask("host", cluster) == "not compared with other namespaces, for lack of rights"


def test_classes_and_issuers_that_may_not_be_looked_at_are_taken_as_they_are(cluster: FakeCluster) -> None:
    """Whoever owns a namespace alone can deploy into it."""
    cluster.hidden = {INGRESS_CLASS, CLUSTER_ISSUER}
    mirror = samples.mirror(ingress={"className": "nginx", "issuer": {"name": "letsencrypt"}})
    assert ask("ingress-class", cluster, mirror) == "class nginx, not looked at for lack of rights"


def test_a_public_certificate_that_nobody_brings_is_asked_for(cluster: FakeCluster) -> None:
    error = invalid_file_error(ConfigurationError, "certificate", cluster)
    assert error.message.startswith("ingress.tlsSecret: namespace regmirror has no Secret regmirror-tls")
    assert "create secret tls regmirror-tls" in (error.hint or "")
    cluster.put({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "regmirror-tls"}})
    assert ask("certificate", cluster) == "Secret regmirror-tls"


@pytest.mark.parametrize(
    ("ingress", "detail"),
    [
        ({"tlsSecret": None}, "the Ingress controller's own"),
        ({"issuer": {"name": "letsencrypt"}}, "by ClusterIssuer letsencrypt"),
    ],
)
def test_a_public_certificate_that_others_bring_is_not_asked_for(
    cluster: FakeCluster, ingress: dict[str, Any], detail: str
) -> None:
    assert ask("certificate", cluster, samples.mirror(ingress=ingress)) == detail
