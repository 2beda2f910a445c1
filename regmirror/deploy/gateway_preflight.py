"""What must be true of Gateways before anything is changed: they exist, and let the mirror in."""

from regmirror.config.gateway import Gateway
from regmirror.config.model import Mirror
from regmirror.deploy.gateway_listeners import refusal_of_listener_sets, refusal_of_routes
from regmirror.errors import ConfigurationError, PermissionDeniedError
from regmirror.ports.cluster import CUSTOM_RESOURCE_DEFINITION, GATEWAY, NAMESPACE, Cluster, Object
from regmirror.steps.step import Done


def check_gateways(mirror: Mirror, gateway: Gateway, cluster: Cluster) -> Done:
    """Raises ConfigurationError; without permission to read Gateways, nothing is checked."""
    names = [_name(mirror, reference) for reference in gateway.parent_refs]
    try:
        _check_definitions(gateway, cluster)
        existing = {_full_name(found): found for found in cluster.select(GATEWAY, everywhere=True)}
    except PermissionDeniedError:
        return Done(f"{', '.join(names)} not checked: no permission", skipped=True)
    namespace = cluster.get(NAMESPACE, mirror.namespace) or {"metadata": {"name": mirror.namespace}}
    for name, reference in zip(names, gateway.parent_refs, strict=True):
        if name not in existing:
            others = ", ".join(sorted(existing)) or "none"
            raise ConfigurationError(
                f"ingress.gateway.parentRefs: there is no Gateway {name}", hint=f"use one of: {others}"
            )
        _check_admission(mirror, gateway, existing[name], reference, namespace)
    return Done(f"Gateway {', '.join(names)}")


def _check_definitions(gateway: Gateway, cluster: Cluster) -> None:
    wanted = ["httproutes", *(["listenersets"] if gateway.listener_set else [])]
    for plural in wanted:
        definition = cluster.get(CUSTOM_RESOURCE_DEFINITION, f"{plural}.gateway.networking.k8s.io")
        versions = {one["name"] for one in definition["spec"]["versions"] if one["served"]} if definition else set()
        if "v1" not in versions:
            since = "1.5" if plural == "listenersets" else "1.0"
            raise ConfigurationError(
                f"ingress.gateway: the cluster does not serve {plural}.gateway.networking.k8s.io/v1",
                hint=f"install the custom resource definitions of the Gateway API {since} or later, and a controller",
            )


def _check_admission(
    mirror: Mirror, gateway: Gateway, live: Object, reference: dict[str, str | int], namespace: Object
) -> None:
    name = _full_name(live)
    edit = f"kubectl -n {live['metadata']['namespace']} edit gateway {live['metadata']['name']}"
    if gateway.listener_set:
        if reason := refusal_of_listener_sets(live, namespace):
            raise ConfigurationError(
                f"ingress.gateway.listenerSet: Gateway {name} does not take it: {reason}",
                hint=f"allow namespace {mirror.namespace} in its allowedListeners: {edit}",
            )
        return
    for host in (mirror.host_of(upstream) for upstream in mirror.upstreams):
        if reason := refusal_of_routes(live, reference, host, namespace):
            raise ConfigurationError(
                f"ingress.gateway.parentRefs: Gateway {name} takes no route for {host} from namespace "
                f"{mirror.namespace}: {reason}",
                hint=f"change the listener: {edit}; or name another one with sectionName",
            )


def _name(mirror: Mirror, reference: dict[str, str | int]) -> str:
    return f"{reference.get('namespace', mirror.namespace)}/{reference['name']}"


def _full_name(gateway: Object) -> str:
    return f"{gateway['metadata']['namespace']}/{gateway['metadata']['name']}"
