"""What quotas count for objects other than pods.

Source: Kubernetes ``pkg/quota/v1/evaluator/core/registry.go`` and ``services.go``.
"""

from collections.abc import Iterable
from decimal import Decimal

from regmirror.ports.cluster import Object
from regmirror.workloads.pod_demand import Demand, add_up, claim_demand

_PLURALS = {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies"}
_WITH_NODE_PORTS = {"NodePort", "LoadBalancer"}
_ONE = Decimal(1)
HELM_RECORD: Demand = {"secrets": _ONE, "count/secrets": _ONE}
"""Helm stores each revision of a release in a Secret."""
REPLICA_SET: Demand = {"count/replicasets.apps": _ONE}
"""Each revision of a Deployment has a ReplicaSet."""


def objects_demand(objects: Iterable[Object]) -> Demand:
    """What new objects take, without the pods of Deployments."""
    return add_up(map(_object_demand, objects))


def _object_demand(found: Object) -> Demand:
    kind, group = found["kind"], found["apiVersion"].rpartition("/")[0]
    plural = _PLURALS.get(kind, f"{kind.lower()}s")
    if kind == "PersistentVolumeClaim":
        return claim_demand(found["spec"])
    if group:
        return {f"count/{plural}.{group}": _ONE}
    demand = {plural: _ONE, f"count/{plural}": _ONE}
    if kind == "Service" and (service_type := found["spec"].get("type")) in _WITH_NODE_PORTS:
        demand["services.nodeports"] = Decimal(len(found["spec"]["ports"]))
        if service_type == "LoadBalancer":
            demand["services.loadbalancers"] = _ONE
    return demand
