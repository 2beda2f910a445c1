"""What keeps pods from being replaced one by one is told by its object's name before anything is changed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from regmirror.ports.cluster import Object
from regmirror.workloads.quantities import parse_quantity
from regmirror.workloads.rollout_blockers import rollout_blockers
from tests.fakes.cluster import FakeCluster

ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
ASKED = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}}


def deployment(name: str = "mirror", **spec: Any) -> Object:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "main", "resources": ASKED}]}}
    whole = {"replicas": 1, "strategy": ROLLING, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": whole}


def quota(hard: dict[str, str], used: dict[str, str], **spec: Any) -> Object:
    status = {"hard": hard, "used": used}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}, "spec": spec, "status": status}


def budget(selects: str, healthy: int, wanted: int) -> Object:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "budget"},
        "spec": {"selector": {"matchLabels": {"app": selects}}},
        "status": {"currentHealthy": healthy, "desiredHealthy": wanted},
    }


def messages(*objects: Object, releases: tuple[str, ...] = ("mirror",)) -> list[str]:
    return [one.message for one in rollout_blockers(FakeCluster(objects), releases)]


def test_nothing_blocks_a_healthy_mirror() -> None:
    room = quota({"pods": "4", "limits.memory": "4Gi"}, {"pods": "3", "limits.memory": "3Gi"})
    assert messages(deployment(), budget("mirror", 2, 2), room) == []


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"paused": True}, "the Deployment mirror is paused: its pods are not replaced"),
        ({"replicas": 0}, "the Deployment mirror is scaled to 0: it has no pods"),
        ({"strategy": {"type": "Recreate"}}, "removes old pods before new ones are ready"),
        ({"strategy": {"rollingUpdate": {"maxUnavailable": 1}}}, "removes old pods before new ones are ready"),
        ({"replicas": 4, "strategy": {"rollingUpdate": {"maxUnavailable": "25%"}}}, "removes old pods"),
    ],
)
def test_a_deployment_that_would_not_roll_out_without_a_gap_is_reported(spec: dict[str, Any], message: str) -> None:
    (found,) = messages(deployment(**spec))
    assert message in found


def test_a_share_is_rounded_down_as_kubernetes_does() -> None:
    assert messages(deployment(replicas=3, strategy={"rollingUpdate": {"maxUnavailable": "25%"}})) == []


def test_the_hint_is_a_command() -> None:
    (found,) = rollout_blockers(FakeCluster([deployment(paused=True)]), ["mirror"])
    assert found.hint == "kubectl -n regmirror rollout resume deployment mirror"


def test_a_budget_that_lacks_pods_is_reported_if_it_is_ours() -> None:
    assert messages(deployment(), budget("another", 0, 1)) == []
    (found,) = messages(deployment(), budget("mirror", 1, 2))
    assert found == "the PodDisruptionBudget budget has 1 healthy pods, but requires 2"


@pytest.mark.parametrize(
    ("resource", "used", "hard"),
    [
        ("pods", "3", "3"),
        ("count/pods", "3", "3"),
        ("requests.cpu", "350m", "449m"),
        ("cpu", "0.35", "0.44"),
        ("requests.memory", "900Mi", "1Gi"),
        ("limits.memory", "2Gi", "2900Mi"),
        ("secrets", "20", "20"),
        ("count/replicasets.apps", "9", "9"),
    ],
)
def test_a_quota_that_one_more_pod_would_exceed_is_reported(resource: str, used: str, hard: str) -> None:
    (found,) = messages(deployment(), quota({resource: hard, "services": "1"}, {resource: used, "services": "1"}))
    assert found == f"the ResourceQuota small has no room for one more pod: {resource} {used} of {hard}"


def test_pods_that_are_replaced_together_need_room_together() -> None:
    room = quota({"pods": "4"}, {"pods": "3"})
    assert messages(deployment(), deployment("auth"), room) == []
    assert messages(deployment(), deployment("auth"), room, releases=("mirror", "auth")) != []


@pytest.mark.parametrize(
    "spec", [{"scopes": ["BestEffort"]}, {"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass"}]}}]
)
def test_a_quota_for_other_pods_is_ignored(spec: dict[str, Any]) -> None:
    assert messages(deployment(), quota({"pods": "1"}, {"pods": "1"}, **spec)) == []


def test_a_running_rollout_has_its_additional_pod_already() -> None:
    cluster = FakeCluster([deployment(), quota({"pods": "3"}, {"pods": "3"})])
    cluster.rollouts["mirror"] = [
        {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 1, "availableReplicas": 2}
    ]
    assert rollout_blockers(cluster, ["mirror"]) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("250m", "0.25"),
        ("1", "1"),
        ("128Mi", 128 * 2**20),
        ("1.5G", 1_500_000_000),
        ("1e3", "1000"),
        ("100u", "0.0001"),
    ],
)
def test_quantities_are_read_as_kubernetes_writes_them(text: str, value: Any) -> None:
    assert parse_quantity(text) == Decimal(value)
    with pytest.raises(ValueError, match="is not a quantity"):
        parse_quantity(f"{text} apples")
