"""What the status and the events of a probe's pod say."""

from contextlib import suppress

from regmirror.errors import ClusterError
from regmirror.ports.cluster import EVENT, POD, Cluster, Object

_NOT_YET = {"ContainerCreating", "PodInitializing", ""}


def pull_errors(pod: Object) -> dict[str, str]:
    """By container: the error of the runtime, for those whose image it could not pull."""
    errors = {}
    for status in pod.get("status", {}).get("containerStatuses") or []:
        waiting = (status.get("state") or {}).get("waiting") or {}
        if waiting.get("reason", "") not in _NOT_YET:
            errors[status["name"]] = str(waiting.get("message") or waiting["reason"])
    return errors


def pull_secrets(pod: Object) -> tuple[str, ...]:
    """The pull secrets that the pod has: it was created without any, so they are those of its ServiceAccount."""
    return tuple(str(one["name"]) for one in pod.get("spec", {}).get("imagePullSecrets") or [] if one.get("name"))


def end_of_pod(pod: Object) -> str:
    """Why the pod has ended: evicted, refused by the kubelet, or its deadline; empty if it has not."""
    status = pod.get("status", {})
    if status.get("phase") != "Failed":
        return ""
    return f"its pod failed: {status.get('message') or status.get('reason') or 'no reason given'}"


def why_not_started(cluster: Cluster, name: str) -> str:
    """Why a pod has no answer yet: what the scheduler says, else its last warning; empty if neither is known."""
    pod = cluster.get(POD, name)
    for condition in (pod or {}).get("status", {}).get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] != "True":
            return str(condition.get("message") or condition.get("reason") or "not scheduled")
    with suppress(ClusterError):
        selector = f"involvedObject.name={name},type=Warning"
        events = cluster.select(EVENT, field_selector=selector)
        return str(events[-1].get("message", "")) if events else ""
    return ""
