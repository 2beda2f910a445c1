"""Whether Gateways have accepted a route and its listeners, and if not, why: from the conditions in their status."""

from collections.abc import Iterable, Iterator
from typing import Any

from regmirror.ports.cluster import HTTP_ROUTE, LISTENER_SET, Kind, Object

ROUTE_KINDS: tuple[Kind, ...] = (HTTP_ROUTE, LISTENER_SET)
"""The kinds whose objects a Gateway accepts or refuses."""
_REQUIRED = {HTTP_ROUTE.kind: ("Accepted", "ResolvedRefs"), LISTENER_SET.kind: ("Accepted", "Programmed")}


def refusals(live: Object) -> list[str]:
    """What Gateways say against an HTTPRoute or a ListenerSet, one line each; empty if none refuses it."""
    return [line for who, conditions in _answers(live) for line in _refused(live, who, conditions)]


def pending(live: Object) -> list[str]:
    """Which Gateways have not answered yet, one line each; empty if all have."""
    answers = dict(_answers(live))
    wanted = [_described(reference) for reference in _parents(live)]
    required = _REQUIRED[live["kind"]]
    return [
        f"Gateway {who}: no answer from its controller"
        for who in wanted
        if not {condition["type"] for condition in _current(live, answers.get(who, []))}.issuperset(required)
    ]


def _parents(live: Object) -> list[Object]:
    spec = live["spec"]
    parents: list[Object] = spec["parentRefs"] if live["kind"] == HTTP_ROUTE.kind else [spec["parentRef"]]
    return parents


def _answers(live: Object) -> Iterator[tuple[str, list[Object]]]:
    """By Gateway, the conditions that its controller has set."""
    status = live.get("status") or {}
    if live["kind"] == LISTENER_SET.kind:
        yield _described(live["spec"]["parentRef"]), _of_listener_set(status)
        return
    for parent in status.get("parents") or []:
        yield _described(parent["parentRef"]), parent.get("conditions") or []


def _of_listener_set(status: dict[str, Any]) -> list[Object]:
    """Those of the whole set; of a listener, only those that are not met: they name the cause."""
    listeners = [condition for found in status.get("listeners") or [] for condition in found.get("conditions") or []]
    unmet = [found for found in listeners if found["status"] == "False" and found["type"] in {"ResolvedRefs"}]
    return [*(status.get("conditions") or []), *unmet]


def _described(reference: Object) -> str:
    where = f"{reference['namespace']}/" if reference.get("namespace") else ""
    section = f" (listener {reference['sectionName']})" if reference.get("sectionName") else ""
    kind = "" if reference.get("kind", "Gateway") == "Gateway" else f"{reference['kind']} "
    return f"{kind}{where}{reference['name']}{section}"


def _refused(live: Object, who: str, conditions: Iterable[Object]) -> Iterator[str]:
    for condition in _current(live, conditions):
        if condition["status"] == "False" and condition["type"] in {*_REQUIRED[live["kind"]], "ResolvedRefs"}:
            yield f"Gateway {who}: {condition.get('reason', '')}: {condition.get('message', '')}".removesuffix(": ")


def _current(live: Object, conditions: Iterable[Object]) -> list[Object]:
    """Without the conditions of an earlier version of the object."""
    generation = live["metadata"].get("generation", 0)
    return [found for found in conditions if found.get("observedGeneration", generation) >= generation]
