"""An Ingress for a program that runs on the node, so that clients reach it like the mirror."""

from typing import Any

from bench.environment import Environment
from lab import addresses


def host(env: Environment, namespace: str, name: str) -> str:
    """The public host of a program."""
    return f"{name}-{env.host(namespace)}"


def expose(env: Environment, namespace: str, name: str, port: int) -> None:
    """Create an Ingress, and a Service without a selector, for a port of the node; uses the mirror's certificate."""
    ports = [{"name": "http", "port": port, "protocol": "TCP"}]
    labels = {"kubernetes.io/service-name": name}
    endpoints = [{"addresses": [addresses.NODE_ADDRESS], "conditions": {"ready": True}}]
    slices = {"addressType": "IPv4", "ports": ports, "endpoints": endpoints}
    env.apply(
        _object("v1", "Service", namespace, name, spec={"ports": ports}),
        _object("discovery.k8s.io/v1", "EndpointSlice", namespace, name, metadata={"labels": labels}, **slices),
        _object("networking.k8s.io/v1", "Ingress", namespace, name, spec=_specification(env, namespace, name)),
    )


def _specification(env: Environment, namespace: str, name: str) -> dict[str, Any]:
    backend = {"service": {"name": name, "port": {"name": "http"}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    public = host(env, namespace, name)
    return {
        "ingressClassName": env.lab["ingress_class"],
        "tls": [{"hosts": [public], "secretName": "regmirror-tls"}],
        "rules": [{"host": public, "http": {"paths": [path]}}],
    }


def _object(version: str, kind: str, namespace: str, name: str, **parts: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace} | parts.pop("metadata", {})
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **parts}
