"""What would keep a rolling update from replacing pods without an outage, found before it starts.

Sources: Kubernetes ``pkg/controller/deployment`` (rolling.go, util/deployment_util.go) and
``pkg/quota/v1/evaluator/core/pods.go``.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from regmirror.ports.cluster import DEPLOYMENT, POD_DISRUPTION_BUDGET, RESOURCE_QUOTA, Cluster, Object
from regmirror.workloads.rollout import is_rolled_out

_OF_OTHER_PODS = {"Terminating", "BestEffort", "PriorityClass", "CrossNamespacePodAffinity"}
"""Scopes of quotas that do not apply to the pods of a mirror."""

_UNITS = {
    **{unit: Decimal(10) ** power for unit, power in (("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6))},
    **{unit: Decimal(10) ** power for unit, power in (("G", 9), ("T", 12), ("P", 15), ("E", 18))},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", start=1)},
}
_QUANTITY = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([A-Za-z]*)")


@dataclass(frozen=True, slots=True)
class RolloutBlocker:
    """An object that blocks a rollout, and how to remove the block."""

    message: str
    hint: str


def rollout_blockers(cluster: Cluster, releases: Sequence[str]) -> list[RolloutBlocker]:
    """What keeps the pods of these Deployments from being replaced together; raises ClusterError.

    A missing Deployment is ignored. A PodDisruptionBudget never blocks a rolling update, but shows that pods are
    missing already.
    """
    deployments = [deployment for name in releases if (deployment := cluster.get(DEPLOYMENT, name))]
    kubectl = f"kubectl -n {cluster.namespace}"
    return [
        *(blocker for deployment in deployments for blocker in _of_deployment(deployment, kubectl)),
        *_of_budgets(cluster.select(POD_DISRUPTION_BUDGET), deployments, kubectl),
        *_of_quotas(cluster.select(RESOURCE_QUOTA), deployments, kubectl),
    ]


def _of_deployment(deployment: Object, kubectl: str) -> list[RolloutBlocker]:
    spec, name = deployment["spec"], deployment["metadata"]["name"]
    strategy = spec.get("strategy") or {}
    unavailable = (strategy.get("rollingUpdate") or {}).get("maxUnavailable", 0)
    blockers = []
    if spec.get("paused"):
        hint = f"{kubectl} rollout resume deployment {name}"
        blockers.append(RolloutBlocker(f"the Deployment {name} is paused: its pods are not replaced", hint))
    if spec.get("replicas", 1) == 0:
        blockers.append(RolloutBlocker(f"the Deployment {name} is scaled to 0: it has no pods", "regmirror deploy"))
    if strategy.get("type") == "Recreate" or _share(unavailable, spec.get("replicas", 1)):
        message = f"the Deployment {name} removes old pods before new ones are ready (its strategy was changed)"
        blockers.append(RolloutBlocker(message, "regmirror deploy"))
    return blockers


def _share(value: int | str, replicas: int) -> int:
    """The number of pods of ``maxUnavailable``; a percentage is rounded down."""
    text = str(value)
    return int(text[:-1]) * replicas // 100 if text.endswith("%") else int(text)


def _of_budgets(budgets: Sequence[Object], deployments: Sequence[Object], kubectl: str) -> list[RolloutBlocker]:
    blockers = []
    for budget in budgets:
        name, status = budget["metadata"]["name"], budget.get("status") or {}
        healthy, wanted = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
        if healthy < wanted and any(_selects(budget, deployment) for deployment in deployments):
            message = f"the PodDisruptionBudget {name} has {healthy} healthy pods, but requires {wanted}"
            blockers.append(RolloutBlocker(message, f"wait until its pods are ready: {kubectl} get pods"))
    return blockers


def _selects(budget: Object, deployment: Object) -> bool:
    wanted = ((budget["spec"].get("selector") or {}).get("matchLabels") or {}).items()
    return wanted <= (deployment["spec"]["template"]["metadata"].get("labels") or {}).items()


def _of_quotas(quotas: Sequence[Object], deployments: Sequence[Object], kubectl: str) -> list[RolloutBlocker]:
    needed: Counter[str] = Counter()
    for deployment in deployments:
        # During a rollout the additional pod exists already, or gets the room of a terminating one.
        if is_rolled_out(deployment):
            needed.update(_of_one_more(deployment["spec"]["template"]["spec"]))
    blockers = []
    for quota in quotas:
        name = quota["metadata"]["name"]
        lacking = _lacking(quota, needed)
        if lacking:
            hint = f"raise it: {kubectl} edit resourcequota {name}"
            blockers.append(
                RolloutBlocker(f"the ResourceQuota {name} has no room for one more pod: {', '.join(lacking)}", hint)
            )
    return blockers


def _of_one_more(pod: dict[str, Any]) -> dict[str, Any]:
    """What a quota counts for one more pod of a Deployment: the pod, its resources, and Helm's record."""
    counts: dict[str, Any] = dict.fromkeys(("pods", "count/pods", "secrets", "count/secrets"), Decimal(1))
    counts["count/replicasets.apps"] = Decimal(1)
    for kind in ("requests", "limits"):
        for resource in ("cpu", "memory"):
            amount = sum(_amount(container, kind, resource) for container in pod["containers"])
            counts[f"{kind}.{resource}"] = amount
            if kind == "requests":
                counts[resource] = amount
    return counts


def _amount(container: dict[str, Any], kind: str, resource: str) -> Decimal:
    resources = container.get("resources") or {}
    # A limit without a request is also the request.
    text = (resources.get(kind) or {}).get(resource, (resources.get("limits") or {}).get(resource, "0"))
    return parse_quantity(text)


def _lacking(quota: Object, needed: Counter[str]) -> list[str]:
    """The resources of a quota that do not suffice, with numbers; none if the quota is for other pods."""
    selected = (quota["spec"].get("scopeSelector") or {}).get("matchExpressions") or []
    scopes = {*(quota["spec"].get("scopes") or []), *(expression["scopeName"] for expression in selected)}
    if scopes & _OF_OTHER_PODS:
        return []
    status = quota.get("status") or {}
    used = status.get("used") or {}
    return [
        f"{resource} {used.get(resource, '0')} of {hard}"
        for resource, hard in (status.get("hard") or {}).items()
        if needed.get(resource) and parse_quantity(used.get(resource, "0")) + needed[resource] > parse_quantity(hard)
    ]


def parse_quantity(value: Any) -> Decimal:
    """A quantity such as ``250m``, ``128Mi`` or ``1e3`` as a number of its base unit; raises ValueError.

    Source: k8s.io/apimachinery ``pkg/api/resource/quantity.go``.
    """
    parts = _QUANTITY.fullmatch(str(value))
    if parts is None or parts[2] not in _UNITS:
        raise ValueError(f"{value!r} is not a quantity")
    return Decimal(parts[1]) * _UNITS[parts[2]]
