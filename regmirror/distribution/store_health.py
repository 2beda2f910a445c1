"""What a registry reports about its store: it lists the store every ten seconds, with its own key or cloud role."""

import json

from regmirror.desired import names
from regmirror.distribution.inside_pod import get_inside_pod
from regmirror.ports.cluster import Cluster


def store_problem(cluster: Cluster, pod: str) -> str | None:
    """Why the registry in a pod cannot use its store; None if it can. Raises ClusterError."""
    answer = get_inside_pod(cluster, pod, names.REGISTRY_DEBUG_PORT, "/debug/health")
    if answer.status == 200:
        return None
    try:
        return "; ".join(str(reason)[:200] for reason in json.loads(answer.body).values())
    except (ValueError, AttributeError):
        return "its health check failed without a reason"
