"""Whether a Deployment has rolled out, and why its pods are not ready."""

import re
from collections.abc import Iterable
from typing import Any

from regmirror.errors import ClusterError
from regmirror.ports.cluster import DEPLOYMENT, EVENT, POD, Cluster, Object

_LOG_LINES = 5
_LOG_WINDOW = 200
"""Lines from the end of a log in which the reason of a crash is looked for: a stack trace follows it."""
_CRASH = re.compile(r"panic: |fatal error: |.*\b(level=fatal|\"level\":\"fatal\")|F\d{4} ")
"""How Go programs, logrus and glog report a crash."""
_CONDITION = "Ready"


def is_rolled_out(deployment: Object) -> bool:
    """Whether every replica is of the newest revision and available, and no older one is left.

    The rule of ``kubectl rollout status`` (kubectl ``pkg/polymorphichelpers/rollout_status.go``).
    """
    wanted = deployment["spec"].get("replicas", 1)
    status = deployment.get("status") or {}
    return bool(
        status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
        and status.get("updatedReplicas", 0) == wanted
        and status.get("replicas", 0) == wanted
        and status.get("availableReplicas", 0) == wanted
    )


def progress_of(deployment: Object) -> str:
    """The progress of a rollout, such as ``1/2 ready, 1 old``."""
    status = deployment.get("status") or {}
    old = status.get("replicas", 0) - status.get("updatedReplicas", 0)
    counted = f"{status.get('availableReplicas', 0)}/{deployment['spec'].get('replicas', 1)} ready"
    return counted + (f", {old} old" if old > 0 else "")


def old_pods_serve(deployment: Object) -> bool:
    """Whether pods of an older revision are left while as many pods as wanted are available."""
    status = deployment.get("status") or {}
    old = status.get("replicas", 0) - status.get("updatedReplicas", 0)
    return bool(old > 0 and status.get("availableReplicas", 0) >= deployment["spec"].get("replicas", 1))


def pre_stop_seconds(pod: Object) -> int:
    """How long a terminating pod still serves, by its preStop sleep; 0 if it has none or is not terminating."""
    if not pod["metadata"].get("deletionTimestamp"):
        return 0
    hooks = [(container.get("lifecycle") or {}).get("preStop") or {} for container in pod["spec"]["containers"]]
    return max((int((hook.get("sleep") or {}).get("seconds", 0)) for hook in hooks), default=0)


def not_ready_reason(pod: Object) -> str | None:
    """Why a pod is not ready, in one line; None if it is ready or just starting."""
    status = pod.get("status") or {}
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        if reason := _container_problem(container):
            return reason
    for condition in status.get("conditions") or []:
        if condition["status"] == "False" and condition["type"] == "PodScheduled":
            return f"cannot be scheduled: {condition.get('message', condition.get('reason', ''))}"
    return None


def _container_problem(container: dict[str, Any]) -> str | None:
    state, last = container.get("state") or {}, container.get("lastState") or {}
    waiting, ended = state.get("waiting") or {}, state.get("terminated") or last.get("terminated") or {}
    if waiting.get("reason") not in {None, "ContainerCreating", "PodInitializing"}:
        exit_code = f" (exit code {ended['exitCode']})" if "exitCode" in ended else ""
        return f"{waiting['reason']}{exit_code}: {' '.join(waiting.get('message', '').split())}".rstrip(": ")
    if ended and not container.get("ready") and ended.get("exitCode"):
        return f"{ended.get('reason', 'ended')} (exit code {ended['exitCode']})"
    return None


def diagnose(cluster: Cluster, deployment: str) -> list[str]:
    """Each pod that is not ready with its newest warning and its last log lines; and why no new pod is created.

    One line each; the reason comes first.
    """
    pods = cluster.select(POD, selector=f"app.kubernetes.io/instance={deployment}")
    lines = []
    for pod in pods:
        if is_ready(pod):
            continue
        name = pod["metadata"]["name"]
        lines.append(f"pod {name}: {not_ready_reason(pod) or 'not ready'}")
        lines += [
            f"  event: {text}"
            for text in _warnings(cluster.select(EVENT, field_selector=f"involvedObject.name={name}"))
        ]
        lines += [f"  log: {text}" for text in _log_tail(cluster, pod)]
    live = cluster.get(DEPLOYMENT, deployment) or {}
    conditions = (live.get("status") or {}).get("conditions") or []
    lines += [f"no new pod: {c.get('message', '')}" for c in conditions if c.get("reason") == "FailedCreate"]
    return lines


def is_ready(pod: Object) -> bool:
    """Whether a pod takes requests, by its Ready condition."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(c["type"] == _CONDITION and c["status"] == "True" for c in conditions)


def _warnings(events: Iterable[Object]) -> list[str]:
    """The newest warning about a pod."""
    warnings = [event for event in events if event.get("type") == "Warning"]
    warnings.sort(key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "")
    return [f"{event['reason']}: {' '.join(event.get('message', '').split())}" for event in warnings[-1:]]


def _log_tail(cluster: Cluster, pod: Object) -> list[str]:
    """The last log lines of the failing container; of its previous run if the current one has not logged anything.

    The lines of a crash start at its reason.
    """
    name, (container, status) = pod["metadata"]["name"], _failing_container(pod)
    text = _log(cluster, name, container)
    if not text.strip() and status.get("restartCount"):
        text = _log(cluster, name, container, previous=True)
    lines = [line[:300] for line in text.splitlines() if line.strip()]
    crash = next((number for number, line in enumerate(lines) if _CRASH.match(line)), None)
    return lines[-_LOG_LINES:] if crash is None else lines[crash : crash + _LOG_LINES]


def _log(cluster: Cluster, pod: str, container: str, *, previous: bool = False) -> str:
    try:
        return cluster.log(pod, container, _LOG_WINDOW, previous=previous)
    except ClusterError:
        return ""


def _failing_container(pod: Object) -> tuple[str, dict[str, Any]]:
    """The container that keeps a pod from being ready, with its status; a failed one rather than one that starts."""
    statuses = {status["name"]: status for status in (pod.get("status") or {}).get("containerStatuses") or []}
    names = [container["name"] for container in pod["spec"]["containers"]]
    containers = [(name, statuses.get(name, {})) for name in names]
    unready = [(name, status) for name, status in containers if not status.get("ready")]
    failing = [(name, status) for name, status in unready if _container_problem(status)]
    return (failing or unready or containers)[0]
