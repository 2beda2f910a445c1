"""Whether the ResourceQuotas of the namespace have room for what is added to it.

Sources: Kubernetes ``pkg/quota/v1/evaluator/core/pods.go`` and ``pkg/apis/core/validation``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from regmirror.ports.cluster import Object
from regmirror.workloads.pod_demand import Demand, PodSpec, add_up, requested
from regmirror.workloads.quantities import format_quantity, parse_quantity

_OF_OTHER_PODS = {"Terminating", "BestEffort", "CrossNamespacePodAffinity"}
"""Scopes of quotas that do not apply to pods without a deadline of their own that request resources."""
_DEMANDED = ("cpu", "memory")
"""A quota of these also demands them of every container."""


@dataclass(frozen=True, slots=True)
class NewPods:
    """Pods of one Deployment or CronJob that will be created: their spec with defaults, and what they take."""

    name: str
    pod: PodSpec
    demand: Demand


def quota_problems(quotas: Sequence[Object], pods: Sequence[NewPods], objects: Demand) -> list[str]:
    """Why the quotas refuse the pods, or other new objects, in one line for each quota and reason."""
    problems = []
    for quota in quotas:
        counted = [each for each in pods if applies(quota, each.pod)]
        others = {} if _scopes(quota) else objects
        problems += _undemanded(quota, counted)
        if lacking := shortages(quota, add_up([*(each.demand for each in counted), others])):
            problems.append(f"the ResourceQuota {_name(quota)} has no room: {', '.join(map(str, lacking))}")
    return problems


@dataclass(frozen=True, slots=True)
class Shortage:
    """A resource of which a quota has less left than is needed."""

    resource: str
    needed: Decimal
    used: str
    hard: str

    def __str__(self) -> str:
        needed = format_quantity(self.resource, self.needed)
        return f"{self.resource} needs {needed} more, and {self.used} of {self.hard} is used"


def shortages(quota: Object, demand: Demand) -> list[Shortage]:
    """The resources of which a quota has not enough left."""
    status = quota.get("status") or {}
    used = status.get("used") or {}
    return [
        Shortage(resource, needed, str(used.get(resource, "0")), str(hard))
        for resource, hard in (status.get("hard") or {}).items()
        if (needed := demand.get(resource, Decimal(0)))
        and parse_quantity(used.get(resource, "0")) + needed > parse_quantity(hard)
    ]


def applies(quota: Object, pod: PodSpec) -> bool:
    """Whether a quota counts a pod of a mirror, by its scopes."""
    scopes = _scopes(quota)
    if {scope["scopeName"] for scope in scopes} & _OF_OTHER_PODS:
        return False
    return all(_has_priority(pod, scope) for scope in scopes if scope["scopeName"] == "PriorityClass")


def _scopes(quota: Object) -> list[dict[str, Any]]:
    selected = (quota["spec"].get("scopeSelector") or {}).get("matchExpressions") or []
    return [*({"scopeName": name, "operator": "Exists"} for name in quota["spec"].get("scopes") or []), *selected]


def _has_priority(pod: PodSpec, scope: Mapping[str, Any]) -> bool:
    priority, values = pod.get("priorityClassName"), scope.get("values") or []
    match scope.get("operator"):
        case "In":
            return priority in values
        case "NotIn":
            return priority not in values
        case "DoesNotExist":
            return not priority
    return bool(priority)


def _undemanded(quota: Object, pods: Iterable[NewPods]) -> list[str]:
    """The requests and limits that the quota demands of every container, and that some do not have."""
    hard = set((quota.get("status") or {}).get("hard") or {})
    lines = []
    for kind in ("requests", "limits"):
        for resource in _DEMANDED:
            names = {f"{kind}.{resource}", *([resource] if kind == "requests" else [])}
            lacking = [
                f"{container['name']} of {each.name}"
                for each in pods
                for container in each.pod["containers"]
                if names & hard and requested(container, kind, resource) is None
            ]
            if lacking:
                demand = f"the ResourceQuota {_name(quota)} demands {kind}.{resource} of every container"
                lines.append(f"{demand}, and these have none: {', '.join(lacking)}")
    return lines


def _name(quota: Object) -> str:
    return str(quota["metadata"]["name"])
