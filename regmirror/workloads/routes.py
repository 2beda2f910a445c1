"""Whether Gateways accept a route and its listeners, and if not, why: from the conditions in their status."""

from collections.abc import Iterator

from regmirror.ports.cluster import HTTP_ROUTE, LISTENER_SET, Kind, Object

ROUTE_KINDS: tuple[Kind, ...] = (LISTENER_SET, HTTP_ROUTE)
"""The kinds whose objects a Gateway accepts or refuses, causes first."""
_REQUIRED = {HTTP_ROUTE.kind: {"Accepted", "ResolvedRefs"}, LISTENER_SET.kind: {"Accepted", "Programmed"}}


def hosts_of(live: Object) -> list[str]:
    """The hosts of an Ingress or an HTTPRoute; a rule for every host has none."""
    spec = live["spec"]
    hosts = (rule.get("host") for rule in spec.get("rules") or [])
    return [*(spec.get("hostnames") or []), *(host for host in hosts if host)]


def refusals(live: Object) -> list[str]:
    """What Gateways say against an HTTPRoute or a ListenerSet, one line each; empty if none refuses it."""
    return [
        f"{where}: {condition.get('reason')}: {condition.get('message') or 'no message'}"
        for where, conditions in _answers(live).items()
        for condition in conditions
        if condition["status"] == "False"
    ]


def pending(live: Object) -> list[str]:
    """Which Gateways have not accepted or refused it yet, one line each; empty if all have."""
    answers, required = _answers(live), _REQUIRED[live["kind"]]
    return [
        f"{where}: its controller has not answered"
        for where in (_described(live, parent) for parent in _parents(live))
        if not required <= {found["type"] for found in answers.get(where, []) if found["status"] != "Unknown"}
    ]


def _parents(live: Object) -> list[Object]:
    spec = live["spec"]
    parents: list[Object] = spec["parentRefs"] if live["kind"] == HTTP_ROUTE.kind else [spec["parentRef"]]
    return parents


def _answers(live: Object) -> dict[str, list[Object]]:
    """By Gateway, the conditions that its controller has set for this version of the object, as far as it says so."""
    status = live.get("status") or {}
    if live["kind"] == LISTENER_SET.kind:
        found = {_described(live, live["spec"]["parentRef"]): [*(status.get("conditions") or []), *_unresolved(status)]}
    else:
        found = {_described(live, one["parentRef"]): one.get("conditions") or [] for one in status.get("parents") or []}
    generation = live["metadata"].get("generation", 0)
    relevant = {*_REQUIRED[live["kind"]], "ResolvedRefs"}
    return {
        where: [
            one for one in conditions if one["type"] in relevant and one.get("observedGeneration") in {None, generation}
        ]
        for where, conditions in found.items()
    }


def _unresolved(status: Object) -> Iterator[Object]:
    """Conditions that name a certificate which a listener cannot use."""
    for listener in status.get("listeners") or []:
        yield from (
            condition
            for condition in listener.get("conditions") or []
            if (condition["type"], condition["status"]) == ("ResolvedRefs", "False")
        )


def _described(live: Object, parent: Object) -> str:
    namespace = parent.get("namespace") or live["metadata"].get("namespace", "")
    section = f", listener {parent['sectionName']}" if parent.get("sectionName") else ""
    return f"{parent.get('kind') or 'Gateway'} {namespace}/{parent['name']}{section}"
