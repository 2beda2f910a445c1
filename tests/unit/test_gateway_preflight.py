"""Before anything is changed, a Gateway that does not exist, or does not let the mirror in, is reported."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from regmirror.deploy.preflight import preflight_steps
from regmirror.errors import ConfigurationError
from regmirror.ports.cluster import CUSTOM_RESOURCE_DEFINITION, GATEWAY, HTTP_ROUTE, Object
from regmirror.steps.step import Done
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.fakes.connections import FakeConnections
from tests.fakes.helm import FakeHelm
from tests.fakes.progress import RecordedWaiting

PUBLIC = {"name": "public", "namespace": "gateways"}
HTTPS: dict[str, Any] = {"name": "https", "port": 443, "protocol": "HTTPS"}
ALL = {"namespaces": {"from": "All"}}


def definition(plural: str, *versions: str) -> Object:
    return {
        "apiVersion": CUSTOM_RESOURCE_DEFINITION.api_version,
        "kind": CUSTOM_RESOURCE_DEFINITION.kind,
        "metadata": {"name": f"{plural}.gateway.networking.k8s.io"},
        "spec": {"versions": [{"name": version, "served": True} for version in versions]},
    }


def gateway(*listeners: dict[str, Any], **spec: Any) -> Object:
    return {
        "apiVersion": GATEWAY.api_version,
        "kind": GATEWAY.kind,
        "metadata": PUBLIC,
        "spec": {"listeners": list(listeners), **spec},
    }


def cluster_with(*elsewhere: Object, definitions: tuple[str, ...] = ("httproutes", "listenersets")) -> FakeCluster:
    cluster = FakeCluster([definition(plural, "v1beta1", "v1") for plural in definitions])
    cluster.elsewhere = list(elsewhere)
    return cluster


def check(cluster: FakeCluster, step_name: str = "ingress-class", **section: Any) -> Done:
    mirror = samples.mirror(ingress={"gateway": {"parentRefs": [PUBLIC], **section}})
    steps = preflight_steps(FakeConnections(mirror, cluster, FakeHelm(cluster)))
    (step,) = [step for step in steps if step.name == step_name]
    return asyncio.run(step.apply(RecordedWaiting()))


def error_of(cluster: FakeCluster, **section: Any) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        check(cluster, **section)
    return caught.value


def label(cluster: FakeCluster, **labels: str) -> None:
    namespace = {"name": "regmirror", "labels": labels}
    cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": namespace})


def test_a_gateway_that_lets_the_route_in_needs_no_ingress_class() -> None:
    cluster = cluster_with(gateway({**HTTPS, "allowedRoutes": ALL}))
    assert check(cluster).detail == "Gateway gateways/public"
    assert check(cluster, "certificate").detail == "from the Gateway"


def test_without_permission_nothing_is_checked() -> None:
    cluster = cluster_with()
    cluster.hidden = {GATEWAY}
    assert check(cluster) == Done("gateways/public not checked: no permission", skipped=True)


def test_the_gateway_api_must_be_served() -> None:
    error = error_of(cluster_with(definitions=()))
    assert error.message == "ingress.gateway: the cluster does not serve httproutes.gateway.networking.k8s.io/v1"
    error = error_of(cluster_with(definitions=("httproutes",)), listenerSet={})
    assert "listenersets" in error.message
    assert "1.5 or later" in str(error.hint)


def test_a_missing_gateway_is_reported_with_those_that_exist() -> None:
    other = gateway(HTTPS)
    other["metadata"] = {"name": "other", "namespace": "gateways"}
    error = error_of(cluster_with(other))
    assert error.message == "ingress.gateway.parentRefs: there is no Gateway gateways/public"
    assert error.hint == "use one of: gateways/other"


@pytest.mark.parametrize(
    ("listener", "reason"),
    [
        (HTTPS, "listener https allows routes only from namespace gateways"),
        ({**HTTPS, "allowedRoutes": {**ALL, "kinds": [{"kind": "GRPCRoute"}]}}, "listener https takes no HTTPRoute"),
        ({**HTTPS, "protocol": "TLS", "allowedRoutes": ALL}, "listener https takes no HTTPRoute"),
        ({**HTTPS, "hostname": "*.example.org", "allowedRoutes": ALL}, "listener https is for *.example.org"),
        ({**HTTPS, "allowedRoutes": {"namespaces": {"from": "None"}}}, "allows routes from no namespace"),
        (
            {**HTTPS, "allowedRoutes": {"namespaces": {"from": "Selector", "selector": {"matchLabels": {"a": "b"}}}}},
            "allows routes only from namespaces with the label a=b",
        ),
    ],
)
def test_a_listener_that_takes_no_route_is_reported_with_the_reason(listener: dict[str, Any], reason: str) -> None:
    error = error_of(cluster_with(gateway(listener)))
    assert reason in error.message
    assert "takes no route for mirror.example.com from namespace regmirror" in error.message
    assert "kubectl -n gateways edit gateway public" in str(error.hint)


@pytest.mark.parametrize("hostname", ["", "mirror.example.com", "*.example.com", "*.com"])
def test_one_listener_that_takes_the_route_is_enough(hostname: str) -> None:
    http = {"name": "http", "port": 80, "protocol": "HTTP"}
    cluster = cluster_with(gateway(http, {**HTTPS, "hostname": hostname, "allowedRoutes": ALL}))
    assert check(cluster).detail == "Gateway gateways/public"


@pytest.mark.parametrize("named", [{"sectionName": "other"}, {"port": 8443}])
def test_a_listener_that_does_not_exist_is_reported_with_those_that_do(named: dict[str, Any]) -> None:
    error = error_of(cluster_with(gateway({**HTTPS, "allowedRoutes": ALL})), parentRefs=[{**PUBLIC, **named}])
    assert "it has no such listener; it has: https (port 443)" in error.message


@pytest.mark.parametrize(
    ("selector", "labels", "is_taken"),
    [
        ({"matchLabels": {"team": "a"}}, {"team": "a"}, True),
        ({"matchLabels": {"kubernetes.io/metadata.name": "regmirror"}}, {}, True),
        ({"matchExpressions": [{"key": "team", "operator": "In", "values": ["a", "b"]}]}, {"team": "b"}, True),
        ({"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["a"]}]}, {"team": "a"}, False),
        ({"matchExpressions": [{"key": "team", "operator": "Exists"}]}, {}, False),
        ({"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}, {}, True),
    ],
)
def test_a_selector_is_evaluated_as_kubernetes_does(selector: Any, labels: dict[str, str], is_taken: bool) -> None:
    allowed = {"namespaces": {"from": "Selector", "selector": selector}}
    cluster = cluster_with(gateway({**HTTPS, "allowedRoutes": allowed}))
    label(cluster, **labels)
    if is_taken:
        assert check(cluster).detail == "Gateway gateways/public"
    else:
        assert "only from namespaces with the label team" in error_of(cluster).message


def test_a_listener_set_must_be_allowed() -> None:
    error = error_of(cluster_with(gateway(HTTPS)), listenerSet={})
    assert error.message == (
        "ingress.gateway.listenerSet: Gateway gateways/public does not take it: allowedListeners from no namespace"
    )
    allowed = cluster_with(gateway(HTTPS, allowedListeners=ALL))
    assert check(allowed, listenerSet={}).detail == "Gateway gateways/public"


def test_a_host_of_another_route_is_refused() -> None:
    route = {
        "apiVersion": HTTP_ROUTE.api_version,
        "kind": HTTP_ROUTE.kind,
        "metadata": {"name": "shop", "namespace": "shops"},
        "spec": {"hostnames": ["mirror.example.com"]},
    }
    with pytest.raises(ConfigurationError) as caught:
        check(cluster_with(route), "host")
    assert caught.value.message == "host: mirror.example.com is already used by the HTTPRoute shop in namespace shops"
    assert "kubectl -n shops get httproute shop" in str(caught.value.hint)
