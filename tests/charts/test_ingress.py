"""Which path of a host leads where."""

from __future__ import annotations

import pytest

from .cases import FULL, ROUTE
from .helm import Helm


def test_an_ingress_for_each_host(helm: Helm) -> None:
    hub, quay = helm.render("ingress", FULL["ingress"])
    assert (hub["kind"], quay["kind"]) == ("Ingress", "Ingress")
    assert [rule["host"] for rule in hub["spec"]["rules"]] == ["hub.example.com"]
    assert hub["spec"]["tls"] == [{"hosts": ["hub.example.com"], "secretName": "tls"}]
    assert quay["spec"]["tls"] == [{"hosts": ["quay.example.com"], "secretName": "quay-tls"}]
    assert hub["spec"]["ingressClassName"] == "traefik"
    assert hub["metadata"]["annotations"] == {"example.com/note": "on"}


def test_paths_of_an_ingress(helm: Helm) -> None:
    _, quay = helm.render("ingress", FULL["ingress"])
    paths = quay["spec"]["rules"][0]["http"]["paths"]
    assert [(path["path"], path["pathType"]) for path in paths] == [("/auth", "Exact"), ("/v2", "Prefix")]
    assert [path["backend"]["service"] for path in paths] == [
        {"name": "auth", "port": {"number": 5001}},
        {"name": "quay", "port": {"number": 80}},
    ]


def test_the_cluster_decides_what_is_left_out(helm: Helm) -> None:
    (ingress,) = helm.render("ingress")
    assert "ingressClassName" not in ingress["spec"]
    assert "annotations" not in ingress["metadata"]
    assert ingress["spec"]["tls"] == [{"hosts": ["mirror.example.com"]}]
    assert ingress["spec"]["rules"][0]["http"]["paths"][-1]["backend"]["service"]["port"] == {"number": 5000}
    (plain,) = helm.render("ingress", {"tls": {"enabled": False, "secretName": "unused"}})
    assert "tls" not in plain["spec"]


def test_a_route_for_each_host(helm: Helm) -> None:
    hub, quay = helm.render("ingress", ROUTE)
    assert (hub["kind"], hub["apiVersion"]) == ("HTTPRoute", "gateway.networking.k8s.io/v1")
    assert (hub["spec"]["hostnames"], quay["spec"]["hostnames"]) == (["hub.example.com"], ["quay.example.com"])
    assert hub["spec"]["parentRefs"] == ROUTE["parentRefs"]
    assert hub["metadata"]["annotations"] == {"example.com/note": "on"}
    auth, registry = quay["spec"]["rules"]
    assert auth["matches"] == [{"path": {"type": "Exact", "value": "/auth"}}]
    assert auth["backendRefs"] == [{"name": "auth", "port": 5001}]
    assert registry["matches"] == [{"path": {"type": "PathPrefix", "value": "/v2"}}]
    assert registry["backendRefs"] == [{"name": "quay", "port": 80}]


LISTENERS = {**ROUTE, "listenerSet": {"enabled": True, "port": 8443}, "parentRefs": [{"name": "public"}]}


def test_a_route_with_listeners_of_its_own_is_attached_to_them(helm: Helm) -> None:
    objects = helm.render("ingress", LISTENERS)
    (hub, quay), routes = [[one for one in objects if one["kind"] == kind] for kind in ("ListenerSet", "HTTPRoute")]
    assert hub["spec"]["parentRef"] == {"name": "public"}
    (listener,) = hub["spec"]["listeners"]
    assert (listener["hostname"], listener["port"], listener["protocol"]) == ("hub.example.com", 8443, "HTTPS")
    assert listener["tls"] == {"mode": "Terminate", "certificateRefs": [{"name": "tls"}]}
    assert quay["spec"]["listeners"][0]["tls"]["certificateRefs"] == [{"name": "quay-tls"}]
    parents = [route["spec"]["parentRefs"] for route in routes]
    group = "gateway.networking.k8s.io"
    names = (hub["metadata"]["name"], quay["metadata"]["name"])
    assert parents == [[{"group": group, "kind": "ListenerSet", "name": name}] for name in names]


def test_annotations_of_cert_manager_are_on_the_object_with_the_certificate(helm: Helm) -> None:
    own = {"cert-manager.io/issuer": "own", "acme.cert-manager.io/http01-edit-in-place": "true", "note": "own"}
    host = {"host": "hub.example.com", "registryService": "hub", "tlsSecretName": "tls", "annotations": own}
    common = {"note": "common", "cert-manager.io/issuer": "common", "external-dns.kubernetes.io/ttl": "60"}
    on_route = {"note": "own", "external-dns.kubernetes.io/ttl": "60"}
    listeners, route = sorted(
        helm.render("ingress", {**LISTENERS, "hosts": [host], "annotations": common}),
        key=lambda found: str(found["kind"]),
        reverse=True,
    )
    assert listeners["metadata"]["annotations"] == {key: text for key, text in own.items() if key != "note"}
    assert route["metadata"]["annotations"] == on_route
    (ingress,) = helm.render("ingress", {**FULL["ingress"], "hosts": [host], "annotations": common})
    assert ingress["metadata"]["annotations"] == common | own


def test_a_listener_needs_a_certificate(helm: Helm) -> None:
    host = {"host": "hub.example.com", "registryService": "hub"}
    done = helm.template("ingress", {**LISTENERS, "hosts": [host], "tls": {"enabled": True, "secretName": ""}})
    assert done.returncode != 0
    assert "set tlsSecretName of each host" in done.stderr


@pytest.mark.parametrize(("request_timeout", "expected"), [("", None), ("0s", {"request": "0s"})])
def test_only_a_named_timeout_reaches_the_gateway(
    helm: Helm, request_timeout: str, expected: dict[str, str] | None
) -> None:
    hub, _ = helm.render("ingress", {**ROUTE, "timeouts": {"request": request_timeout}})
    auth, registry = hub["spec"]["rules"]
    assert registry.get("timeouts") == expected
    assert "timeouts" not in auth
