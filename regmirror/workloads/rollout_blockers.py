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
_FORM = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([A-Za-z]*)")


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
    found = [deployment for name in releases if (deployment := cluster.get(DEPLOYMENT, name))]
    kubectl = f"kubectl -n {cluster.namespace}"
    return [
        *(obstacle for one in found for obstacle in _of_deployment(one, kubectl)),
        *_of_budgets(cluster.select(POD_DISRUPTION_BUDGET), found, kubectl),
        *_of_quotas(cluster.select(RESOURCE_QUOTA), found, kubectl),
    ]


def _of_deployment(deployment: Object, kubectl: str) -> list[RolloutBlocker]:
    spec, name = deployment["spec"], deployment["metadata"]["name"]
    strategy = spec.get("strategy") or {}
    unavailable = (strategy.get("rollingUpdate") or {}).get("maxUnavailable", 0)
    found = []
    if spec.get("paused"):
        hint = f"{kubectl} rollout resume deployment {name}"
        found.append(RolloutBlocker(f"the Deployment {name} is paused: its pods are not replaced", hint))
    if spec.get("replicas", 1) == 0:
        found.append(RolloutBlocker(f"the Deployment {name} is scaled to 0: it has no pod", "regmirror deploy"))
    if strategy.get("type") == "Recreate" or _share(unavailable, spec.get("replicas", 1)):
        message = f"the Deployment {name} takes pods away before new ones are there (its strategy was changed)"
        found.append(RolloutBlocker(message, "regmirror deploy"))
    return found


def _share(value: int | str, replicas: int) -> int:
    """How many pods ``maxUnavailable`` means: a percentage is rounded down."""
    text = str(value)
    return int(text[:-1]) * replicas // 100 if text.endswith("%") else int(text)


def _of_budgets(budgets: Sequence[Object], deployments: Sequence[Object], kubectl: str) -> list[RolloutBlocker]:
    found = []
    for budget in budgets:
        name, status = budget["metadata"]["name"], budget.get("status") or {}
        healthy, wanted = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
        if healthy < wanted and any(_selects(budget, deployment) for deployment in deployments):
            message = f"the PodDisruptionBudget {name} counts {healthy} healthy pods, of {wanted} that there must be"
            found.append(RolloutBlocker(message, f"let the others become ready first: {kubectl} get pods"))
    return found


def _selects(budget: Object, deployment: Object) -> bool:
    wanted = ((budget["spec"].get("selector") or {}).get("matchLabels") or {}).items()
    return wanted <= (deployment["spec"]["template"]["metadata"].get("labels") or {}).items()


def _of_quotas(quotas: Sequence[Object], deployments: Sequence[Object], kubectl: str) -> list[RolloutBlocker]:
    needed: Counter[str] = Counter()
    for deployment in deployments:
        # One that is being replaced has the further pod already, or gets the room of one that is going.
        if is_rolled_out(deployment):
            needed.update(_of_one_more(deployment["spec"]["template"]["spec"]))
    found = []
    for quota in quotas:
        name = quota["metadata"]["name"]
        lacking = _lacking(quota, needed)
        if lacking:
            hint = f"raise it by as much: {kubectl} edit resourcequota {name}"
            found.append(
                RolloutBlocker(f"the ResourceQuota {name} has no room for one more pod: {', '.join(lacking)}", hint)
            )
    return found


def _of_one_more(pod: dict[str, Any]) -> dict[str, Any]:
    """What a quota counts when a Deployment gets one pod more: itself, what its containers ask for, Helm's record."""
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
    # Where only a limit is given, it is the request, too.
    text = (resources.get(kind) or {}).get(resource, (resources.get("limits") or {}).get(resource, "0"))
    return parse_quantity(text)


def _lacking(quota: Object, needed: Counter[str]) -> list[str]:
    """What of a quota is too little, each with its numbers; nothing of one that is for other pods."""
    selected = (quota["spec"].get("scopeSelector") or {}).get("matchExpressions") or []
    scopes = {*(quota["spec"].get("scopes") or []), *(one["scopeName"] for one in selected)}
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
    found = _FORM.fullmatch(str(value))
    if found is None or found[2] not in _UNITS:
        raise ValueError(f"{value!r} is not a quantity")
    return Decimal(found[1]) * _UNITS[found[2]]
