"""What quotas count for a pod.

Source: Kubernetes ``pkg/quota/v1/evaluator/core/pods.go`` and ``persistent_volume_claims.go``.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from regmirror.workloads.quantities import parse_quantity

Demand = Mapping[str, Decimal]
"""By resource of a quota, such as ``requests.cpu``: the amount in the base unit."""
PodSpec = Mapping[str, Any]
_COMPUTE = ("cpu", "memory", "ephemeral-storage")
_ONE, _NOTHING = Decimal(1), Decimal(0)


def pod_demand(pod: PodSpec) -> Demand:
    """What one pod takes: itself, its resources, and the volumes that live as long as it does."""
    demand = {"pods": _ONE, "count/pods": _ONE}
    for resource in _COMPUTE:
        requests, limits = (_amount(pod, kind, resource) for kind in ("requests", "limits"))
        demand |= {resource: requests, f"requests.{resource}": requests, f"limits.{resource}": limits}
    return add_up([demand, *map(claim_demand, claims_of(pod).values())])


def claims_of(pod: PodSpec) -> dict[str, dict[str, Any]]:
    """The specs of the claims that live as long as the pod, by volume."""
    return {
        volume["name"]: volume["ephemeral"]["volumeClaimTemplate"]["spec"]
        for volume in pod.get("volumes") or []
        if "ephemeral" in volume
    }


def claim_demand(claim: Mapping[str, Any]) -> Demand:
    """What one PersistentVolumeClaim takes."""
    size = parse_quantity(((claim.get("resources") or {}).get("requests") or {}).get("storage", "0"))
    demand = {"persistentvolumeclaims": _ONE, "count/persistentvolumeclaims": _ONE, "requests.storage": size}
    if storage_class := claim.get("storageClassName"):
        prefix = f"{storage_class}.storageclass.storage.k8s.io/"
        demand |= {f"{prefix}persistentvolumeclaims": _ONE, f"{prefix}requests.storage": size}
    return demand


def requested(container: Mapping[str, Any], kind: str, resource: str) -> Any:
    """A request or limit of a container, None if it has none; a limit without a request is also the request."""
    resources = container.get("resources") or {}
    limit = (resources.get("limits") or {}).get(resource)
    return (resources.get("requests") or {}).get(resource, limit) if kind == "requests" else limit


def add_up(demands: Iterable[Demand]) -> Demand:
    """The sum of all."""
    whole: dict[str, Decimal] = {}
    for demand in demands:
        whole |= {resource: whole.get(resource, _NOTHING) + amount for resource, amount in demand.items()}
    return whole


def excess(demand: Demand, other: Demand) -> Demand:
    """What is needed beyond another demand, never less than nothing."""
    return {resource: max(_NOTHING, amount - other.get(resource, _NOTHING)) for resource, amount in demand.items()}


def _amount(pod: PodSpec, kind: str, resource: str) -> Decimal:
    """Containers that run before the others count only if one takes more than all others together."""
    together = sum((_of(container, kind, resource) for container in pod["containers"]), _NOTHING)
    return max([together, *(_of(container, kind, resource) for container in pod.get("initContainers") or [])])


def _of(container: Mapping[str, Any], kind: str, resource: str) -> Decimal:
    return parse_quantity(requested(container, kind, resource) or "0")
