"""Whether a listener of a Gateway takes the routes of a namespace for a host, from the Gateway's specification."""

from collections.abc import Mapping

from regmirror.ports.cluster import HTTP_ROUTE, Object
from regmirror.workloads.label_selectors import namespace_labels, unmet_requirements

_HTTP = ("HTTP", "HTTPS")


def refusal_of_routes(gateway: Object, reference: Mapping[str, str | int], host: str, namespace: Object) -> str:
    """Why no listener that the reference names takes a route for the host; empty if one does.

    ``namespace`` is that of the route; only its metadata matter.
    """
    listeners = [found for found in gateway["spec"].get("listeners") or [] if _is_named(found, reference)]
    if not listeners:
        existing = ", ".join(f"{one['name']} (port {one['port']})" for one in gateway["spec"].get("listeners") or [])
        return f"it has no such listener; it has: {existing or 'none'}"
    reasons = {listener["name"]: _reason(listener, gateway, host, namespace) for listener in listeners}
    if not all(reasons.values()):
        return ""
    return "; ".join(f"listener {name} {reason}" for name, reason in reasons.items())


def refusal_of_listener_sets(gateway: Object, namespace: Object) -> str:
    """Why the Gateway takes no ListenerSet from a namespace; empty if it does."""
    allowed = (gateway["spec"].get("allowedListeners") or {}).get("namespaces") or {}
    reason = _refused_namespace({"from": "None", **allowed}, gateway, namespace)
    return f"allowedListeners {reason}" if reason else ""


def _is_named(listener: Object, reference: Mapping[str, str | int]) -> bool:
    wanted = {"name": reference.get("sectionName"), "port": reference.get("port")}
    return all(value is None or listener[key] == value for key, value in wanted.items())


def _reason(listener: Object, gateway: Object, host: str, namespace: Object) -> str:
    allowed = listener.get("allowedRoutes") or {}
    kinds = [kind["kind"] for kind in allowed.get("kinds") or []]
    if listener["protocol"] not in _HTTP or (kinds and HTTP_ROUTE.kind not in kinds):
        return "takes no HTTPRoute"
    if not _is_host_of(host, listener.get("hostname") or ""):
        return f"is for {listener['hostname']}"
    reason = _refused_namespace({"from": "Same", **(allowed.get("namespaces") or {})}, gateway, namespace)
    return f"allows routes {reason}" if reason else ""


def _is_host_of(host: str, pattern: str) -> bool:
    return pattern in {"", host} or (pattern.startswith("*.") and host.endswith(pattern[1:]))


def _refused_namespace(allowed: Object, gateway: Object, namespace: Object) -> str:
    """Which namespaces are allowed, if the one of the mirror is not among them."""
    metadata = namespace["metadata"]
    match allowed["from"]:
        case "All":
            return ""
        case "None":
            return "from no namespace"
        case "Selector":
            unmet = list(unmet_requirements(allowed.get("selector") or {}, namespace_labels(namespace)))
            return f"only from namespaces with {', '.join(unmet)}" if unmet else ""
        case _:
            same = metadata["name"] == gateway["metadata"]["namespace"]
            return "" if same else f"only from namespace {gateway['metadata']['namespace']}"
