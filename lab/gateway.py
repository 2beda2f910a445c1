"""The Gateway API in the lab: its custom resource definitions, and a Gateway that Traefik serves."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab import module_files
from lab.cluster import Cluster
from lab.components import GATEWAY_API

NAMESPACE, NAME = "gateways", "public"
CONTROLLER = "traefik.io/gateway-controller"
_GROUP = "/apis/gateway.networking.k8s.io/v1"
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_ALL = {"namespaces": {"from": "All"}}


def create(cluster: Cluster) -> None:
    """Creates the definitions, waits until the API server serves them, and creates a GatewayClass and a Gateway."""
    for definition in definitions(cluster.instance.cache):
        cluster.create(_DEFINITIONS, definition.read_bytes())
    gateways = f"{_GROUP}/namespaces/{NAMESPACE}/gateways"
    kinds = ("gatewayclasses", "gateways", "httproutes", "listenersets", "referencegrants")
    cluster.wait_until(
        "the API server to serve the Gateway API", lambda: all(cluster.healthy(f"{_GROUP}/{kind}") for kind in kinds)
    )
    cluster.create(f"{_GROUP}/gatewayclasses", _object("GatewayClass", "traefik", {"controllerName": CONTROLLER}))
    cluster.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    cluster.create(f"/api/v1/namespaces/{NAMESPACE}/secrets", _certificate(cluster))
    cluster.create(gateways, _gateway())


def definitions(cache_directory: Path) -> list[Path]:
    """The custom resource definitions of the standard channel, as YAML files."""
    files = module_files.entry(GATEWAY_API, cache_directory).glob("*.yaml")
    return sorted(file for file in files if b"kind: CustomResourceDefinition" in file.read_bytes())


def _gateway() -> Mapping[str, Any]:
    """One listener, for all hosts below lab.test; it lets every namespace attach routes and listeners."""
    https = {
        "name": "https",
        "port": 443,
        "protocol": "HTTPS",
        "hostname": "*.lab.test",
        "tls": {"certificateRefs": [{"name": "lab-test"}]},
        "allowedRoutes": _ALL,
    }
    spec = {"gatewayClassName": "traefik", "listeners": [https], "allowedListeners": _ALL}
    return _object("Gateway", NAME, spec)


def _certificate(cluster: Cluster) -> Mapping[str, Any]:
    files = {"tls.crt": cluster.certificates.certificate("mirror"), "tls.key": cluster.certificates.key("mirror")}
    data = {name: base64.b64encode(path.read_bytes()).decode() for name, path in files.items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "lab-test"},
        "type": "kubernetes.io/tls",
        "data": data,
    }


def _object(kind: str, name: str, spec: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"apiVersion": "gateway.networking.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
