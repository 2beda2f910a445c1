"""What would keep a rolling update from replacing pods without an outage, found before it starts.

Sources: Kubernetes ``pkg/controller/deployment`` (rolling.go, util/deployment_util.go) and
``pkg/quota/v1/evaluator/core/pods.go``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from regmirror.ports.cluster import DEPLOYMENT, POD_DISRUPTION_BUDGET, RESOURCE_QUOTA, Cluster, Object
from regmirror.workloads.pod_demand import add_up, pod_demand
from regmirror.workloads.quotas import applies, shortages
from regmirror.workloads.rollout import is_rolled_out

_RECORDS = dict.fromkeys(("secrets", "count/secrets", "count/replicasets.apps"), Decimal(1))
"""Helm records each change in a Secret, and each revision of a Deployment has a ReplicaSet."""


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
    # During a rollout the additional pod exists already, or gets the room of a terminating one.
    pods = [deployment["spec"]["template"]["spec"] for deployment in deployments if is_rolled_out(deployment)]
    blockers = []
    for quota in quotas:
        name = quota["metadata"]["name"]
        counted = [add_up([pod_demand(pod), _RECORDS]) for pod in pods if applies(quota, pod)]
        if lacking := shortages(quota, add_up(counted)):
            amounts = ", ".join(f"{shortage.resource} {shortage.used} of {shortage.hard}" for shortage in lacking)
            message = f"the ResourceQuota {name} has no room for one more pod: {amounts}"
            blockers.append(RolloutBlocker(message, f"raise it: {kubectl} edit resourcequota {name}"))
    return blockers
