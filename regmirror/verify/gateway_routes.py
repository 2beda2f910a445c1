"""The HTTPRoutes and ListenerSets of a mirror behind a Gateway: what they route, and what the Gateway says to them."""

from typing import Any

from regmirror.config.gateway import Gateway
from regmirror.config.model import Upstream
from regmirror.desired import names
from regmirror.desired.secret_contents import look_up
from regmirror.ports.cluster import HTTP_ROUTE, LISTENER_SET, Kind, Object
from regmirror.verify.live_mirror import LiveMirror
from regmirror.workloads.routes import hosts_of, pending, refusals


def route_problem(live: LiveMirror, upstream: Upstream) -> str:
    """What is wrong with the HTTPRoute of an upstream's host; empty if it routes as configured."""
    host = live.mirror.host_of(upstream)
    routes = _released(live, HTTP_ROUTE)
    route = next((route for route in routes if host in hosts_of(route)), None)
    if route is None:
        others = ", ".join(host for route in routes for host in hosts_of(route)) or "none"
        return f"no HTTPRoute of the mirror has host {host}; existing hosts: {others}"
    for wanted in _parents(live, host):
        if not any(_is_same(parent, wanted, live.cluster.namespace) for parent in route["spec"].get("parentRefs", [])):
            return f"the HTTPRoute of {host} is not attached to {wanted['kind']} {wanted['name']}"
    backends = _backends(route)
    for path, service in {"/auth": names.AUTH, "/v2": names.registry(upstream.name)}.items():
        if backends.get(path) != service:
            return f"the HTTPRoute of {host} routes {path} to {backends.get(path) or 'nothing'} instead of {service}"
    return ""


def gateway_problems(live: LiveMirror, upstream: Upstream) -> list[str]:
    """Why the Gateway does not serve an upstream's host yet, one line each; empty if it does."""
    name = f"{names.INGRESS}-{live.mirror.host_of(upstream)}"
    gateway = live.mirror.ingress.gateway
    kinds = [*([LISTENER_SET] if gateway and gateway.listener_set else []), HTTP_ROUTE]
    found = [one for kind in kinds for one in _released(live, kind) if one["metadata"]["name"] == name]
    return [line for one in found for line in (refusals(one) or pending(one))]


def _released(live: LiveMirror, kind: Kind) -> list[Object]:
    found = live.cluster.select(kind, selector=f"app.kubernetes.io/instance={names.INGRESS}")
    return [{**one, "kind": kind.kind} for one in found]


def _parents(live: LiveMirror, host: str) -> list[dict[str, Any]]:
    """The references that the route must have."""
    gateway: Gateway | None = live.mirror.ingress.gateway
    if gateway is None:
        return []
    if gateway.listener_set:
        return [{"kind": LISTENER_SET.kind, "name": f"{names.INGRESS}-{host}"}]
    return [{"kind": "Gateway", **reference} for reference in gateway.parent_refs]


def _is_same(parent: Object, wanted: dict[str, Any], namespace: str) -> bool:
    defaults = {"kind": "Gateway", "namespace": namespace}
    keys = ("kind", "name", "namespace", "sectionName", "port")
    return all(parent.get(key, defaults.get(key)) == wanted.get(key, defaults.get(key)) for key in keys)


def _backends(route: Object) -> dict[str, str]:
    """The first Service of each path."""
    return {
        str(look_up(match, "path", "value")): str(look_up(rule["backendRefs"][0], "name"))
        for rule in route["spec"].get("rules") or []
        if rule.get("backendRefs")
        for match in rule.get("matches") or []
    }
