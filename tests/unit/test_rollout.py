"""A rollout is judged as kubectl judges it, and a pod that is not ready says why."""

from __future__ import annotations

from typing import Any

import pytest

from regmirror.workloads.rollout import diagnose, is_rolled_out, not_ready_reason, progress_of
from tests.fakes.cluster import FakeCluster

QUOTA = 'pods "regmirror-auth-5d" is forbidden: exceeded quota: small, requested: pods=1, used: pods=3, limited: pods=3'
COUNTS = ("replicas", "updatedReplicas", "availableReplicas")


def deployment(*, replicas: int = 2, generation: int = 3, **status: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "regmirror-auth", "generation": generation},
        "spec": {"replicas": replicas},
        "status": {"observedGeneration": 3, **dict.fromkeys(COUNTS, 2), **status},
    }


def pod(name: str = "regmirror-auth-5d", *, ready: bool = False, **status: Any) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/instance": "regmirror-auth"}},
        "spec": {"containers": [{"name": "auth"}]},
        "status": {"phase": "Running", "conditions": conditions, **status},
    }


def container(ready: bool = False, **fields: Any) -> dict[str, Any]:
    return {"containerStatuses": [{"name": "auth", "ready": ready, **fields}]}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason, "message": message}}}


def warning(text: str, at: str | None, kind: str = "Warning") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"event {at} {kind}"},
        "type": kind,
        "reason": "Unhealthy",
        "message": text,
        "lastTimestamp": at,
        "involvedObject": {"name": "regmirror-auth-5d"},
    }


@pytest.mark.parametrize(
    ("found", "rolled_out"),
    [
        (deployment(), True),
        (deployment(generation=4), False),
        (deployment(updatedReplicas=1), False),
        (deployment(replicas=2, availableReplicas=1), False),
        (deployment() | {"status": {}}, False),
        (deployment() | {"status": {"observedGeneration": 3, **dict.fromkeys(COUNTS, 3)}}, False),
        (deployment(replicas=0) | {"status": {"observedGeneration": 3}}, True),
    ],
    ids=["done", "unobserved", "old pods", "unavailable", "no status", "one too many", "none wanted"],
)
def test_a_rollout_is_over_when_every_pod_is_new_and_available(found: dict[str, Any], rolled_out: bool) -> None:
    assert is_rolled_out(found) is rolled_out


def test_progress_is_told_in_few_words() -> None:
    assert progress_of(deployment(availableReplicas=1)) == "1/2 ready"
    assert progress_of({"spec": {}}) == "0/1 ready"
    assert progress_of(deployment(updatedReplicas=1)) == "2/2 ready, 1 old"


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        ({}, None),
        (container(state={"running": {}}), None),
        (container(**waiting("ContainerCreating")), None),
        (container(**waiting("PodInitializing")), None),
        (
            container(**waiting("ImagePullBackOff", 'Back-off pulling image "registry:9":\n not found')),
            'ImagePullBackOff: Back-off pulling image "registry:9": not found',
        ),
        (
            container(
                **waiting("CrashLoopBackOff", "back-off 10s restarting"), lastState={"terminated": {"exitCode": 2}}
            ),
            "CrashLoopBackOff (exit code 2): back-off 10s restarting",
        ),
        (container(**waiting("CreateContainerConfigError")), "CreateContainerConfigError"),
        (container(state={"terminated": {"exitCode": 1, "reason": "Error"}}), "Error (exit code 1)"),
        (
            container(state={"running": {}}, lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}}),
            "OOMKilled (exit code 137)",
        ),
        (container(ready=True, state={"running": {}}, lastState={"terminated": {"exitCode": 1}}), None),
        ({"initContainerStatuses": [{"name": "init", **waiting("ErrImagePull", "no")}]}, "ErrImagePull: no"),
        (
            {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}]},
            "cannot be scheduled: 0/1 nodes are available",
        ),
        (
            {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]},
            "cannot be scheduled: Unschedulable",
        ),
    ],
)
def test_a_pod_says_why_it_is_not_ready(status: dict[str, Any], trouble: str | None) -> None:
    assert not_ready_reason(pod(**status)) == trouble


def test_a_crashing_pod_is_told_with_its_newest_warning_and_the_log_of_its_previous_run() -> None:
    crashing = container(**waiting("CrashLoopBackOff"), restartCount=3, lastState={"terminated": {"exitCode": 2}})
    cluster = FakeCluster(
        [
            pod("regmirror-auth-old", ready=True),
            pod(**crashing),
            warning("first", "2026-11-23T12:00:00Z"),
            warning("Readiness probe\nfailed", "2026-11-23T12:00:09Z"),
            warning("all is well", "2026-11-23T12:00:10Z", "Normal"),
            warning("undated", None),
        ]
    )
    cluster.logs["regmirror-auth-5d", True] = "starting\n\npanic: no bucket\n"
    assert diagnose(cluster, "regmirror-auth") == [
        "pod regmirror-auth-5d: CrashLoopBackOff (exit code 2)",
        "  event: Unhealthy: Readiness probe failed",
        "  log: panic: no bucket",
    ]


def test_the_log_is_of_the_container_that_is_in_trouble() -> None:
    statuses = [{"name": "auth", "ready": True}, {"name": "cache", "ready": False, "restartCount": 2}]
    found = pod(containerStatuses=statuses)
    found["spec"]["containers"].append({"name": "cache"})
    cluster = FakeCluster([found])
    cluster.logs["regmirror-auth-5d/auth", False] = "listening"
    cluster.logs["regmirror-auth-5d/cache", True] = "unknown directive"
    assert diagnose(cluster, "regmirror-auth")[1:] == ["  log: unknown directive"]


def test_the_log_of_the_current_run_comes_first_and_is_cut_to_a_few_short_lines() -> None:
    cluster = FakeCluster([pod(**container(restartCount=1, state={"running": {}}))])
    cluster.logs["regmirror-auth-5d", True] = "old"
    cluster.logs["regmirror-auth-5d", False] = "\n".join(["x" * 1000] * 9)
    assert diagnose(cluster, "regmirror-auth") == ["pod regmirror-auth-5d: not ready", *["  log: " + "x" * 300] * 5]


@pytest.mark.parametrize("others", [[], [pod("regmirror-auth-old", ready=True)]], ids=["first pod", "surge pod"])
def test_a_quota_that_refuses_a_pod_is_told(others: list[dict[str, Any]]) -> None:
    condition = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": QUOTA}
    found = deployment(availableReplicas=1)
    cluster = FakeCluster([found, *others])
    cluster.rollouts["regmirror-auth"] = [{"conditions": [{"type": "Progressing"}, condition]}]
    assert diagnose(cluster, "regmirror-auth") == [f"no new pod: {QUOTA}"]


def test_a_deployment_without_pods_and_reasons_is_silent() -> None:
    assert diagnose(FakeCluster(), "regmirror-auth") == []
