"""What pods, their replacement and other objects count in quotas, and what limits make of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from regmirror.ports.cluster import Object
from regmirror.workloads.limit_ranges import violations, with_defaults
from regmirror.workloads.object_demand import objects_demand
from regmirror.workloads.pod_demand import PodSpec, pod_demand
from regmirror.workloads.pod_replacement import PodReplacement
from regmirror.workloads.quantities import format_quantity
from regmirror.workloads.quotas import NewPods, quota_problems
from regmirror.workloads.scheduled_pod import ScheduledPod

ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}


def container(name: str = "main", requests: Any = None, limits: Any = None) -> dict[str, Any]:
    resources = {key: value for key, value in (("requests", requests), ("limits", limits)) if value}
    return {"name": name, "resources": resources}


def deployment(memory: str, replicas: int = 1, running: int | None = None, strategy: Any = ROLLING) -> Object:
    spec = {"containers": [container(requests={"memory": memory})]}
    return {
        "metadata": {"name": "mirror"},
        "spec": {"replicas": replicas, "strategy": strategy, "template": {"metadata": {}, "spec": spec}},
        "status": {"replicas": replicas if running is None else running},
    }


def cron_job(memory: str, running: int = 0) -> Object:
    pod = {"containers": [container(requests={"memory": memory})]}
    spec = {"jobTemplate": {"spec": {"template": {"spec": pod}}}, "successfulJobsHistoryLimit": 1}
    return {"metadata": {"name": "verify"}, "spec": spec, "status": {"active": [{"name": "verify-1"}] * running}}


def as_it_is(pod: PodSpec) -> PodSpec:
    return pod


def limit_range(kind: str = "Container", **item: Any) -> Object:
    return {"metadata": {"name": "small"}, "spec": {"limits": [{"type": kind, **item}]}}


def test_a_limit_without_a_request_is_also_the_request() -> None:
    demand = pod_demand({"containers": [container(limits={"cpu": "500m"}), container(requests={"cpu": "1"})]})
    assert (demand["requests.cpu"], demand["cpu"], demand["limits.cpu"]) == (
        Decimal("1.5"),
        Decimal("1.5"),
        Decimal("0.5"),
    )


def test_a_container_that_runs_before_the_others_counts_if_it_takes_more() -> None:
    pod = {"containers": [container(requests={"cpu": "1"})], "initContainers": [container(requests={"cpu": "3"})]}
    assert pod_demand(pod)["requests.cpu"] == 3


def test_a_volume_that_lives_as_long_as_its_pod_is_a_claim() -> None:
    claim = {"storageClassName": "ssd", "resources": {"requests": {"storage": "2Gi"}}}
    volume = {"name": "layers", "ephemeral": {"volumeClaimTemplate": {"spec": claim}}}
    demand = pod_demand({"containers": [], "volumes": [volume]})
    assert demand["persistentvolumeclaims"] == 1
    assert demand["requests.storage"] == demand["ssd.storageclass.storage.k8s.io/requests.storage"] == 2 * 2**30


@pytest.mark.parametrize(
    ("live", "after", "pods", "memory"),
    [
        (None, deployment("100Mi", replicas=3), 3, 300),
        (deployment("100Mi", replicas=3), deployment("100Mi", replicas=3), 0, 0),
        (deployment("100Mi", replicas=1), deployment("100Mi", replicas=3), 2, 200),
        (deployment("100Mi", replicas=3), deployment("100Mi", replicas=1), 0, 0),
        # The last old pod stops when the last new one is ready.
        (deployment("100Mi", replicas=2), deployment("150Mi", replicas=2), 1, 200),
        (deployment("300Mi", replicas=2), deployment("100Mi", replicas=2), 1, 100),
        (deployment("100Mi"), deployment("150Mi", strategy={"type": "Recreate"}), 0, 50),
        (deployment("100Mi", running=0), deployment("150Mi"), 1, 150),
    ],
)
def test_what_a_replacement_takes_at_most(live: Object | None, after: Object, pods: int, memory: int) -> None:
    demand = PodReplacement(after, live).additional_demand(as_it_is)
    assert (demand["pods"], demand["requests.memory"]) == (Decimal(pods), Decimal(memory * 2**20))


@pytest.mark.parametrize(
    ("live", "after", "pods", "memory", "jobs"),
    [
        # One failed Job is kept by default, with its pod.
        (None, cron_job("100Mi"), 1, 100, 3),
        (cron_job("100Mi"), cron_job("100Mi"), 1, 100, 1),
        (cron_job("100Mi", running=1), cron_job("100Mi"), 0, 0, 0),
        # The running pod ends before the next one starts.
        (cron_job("100Mi", running=1), cron_job("150Mi"), 0, 50, 0),
    ],
)
def test_one_pod_of_a_cron_job_runs_at_a_time(
    live: Object | None, after: Object, pods: int, memory: int, jobs: int
) -> None:
    demand = ScheduledPod(after, live).additional_demand(as_it_is)
    assert (demand["pods"], demand["requests.memory"]) == (Decimal(pods), Decimal(memory * 2**20))
    assert demand["count/jobs.batch"] == demand["count/pods"] == Decimal(jobs)


def test_new_objects_count_by_their_kind() -> None:
    service = {"type": "LoadBalancer", "ports": [{"port": 443}]}
    found = [
        {"apiVersion": "v1", "kind": "Service", "metadata": {}, "spec": service},
        {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {}},
    ]
    counted = ("services", "count/services", "services.nodeports", "services.loadbalancers")
    assert objects_demand(found) == dict.fromkeys([*counted, "count/ingresses.networking.k8s.io"], Decimal(1))


@pytest.mark.parametrize(
    ("spec", "counts"),
    [
        ({}, True),
        ({"scopes": ["NotTerminating", "NotBestEffort"]}, True),
        ({"scopes": ["BestEffort"]}, False),
        ({"scopeSelector": [("In", ["high"])]}, True),
        ({"scopeSelector": [("In", ["low"])]}, False),
        ({"scopeSelector": [("NotIn", ["high"])]}, False),
        ({"scopeSelector": [("Exists", None)]}, True),
        ({"scopeSelector": [("DoesNotExist", None)]}, False),
    ],
)
def test_a_quota_counts_the_pods_in_its_scopes(spec: dict[str, Any], counts: bool) -> None:
    if "scopeSelector" in spec:
        terms = [{"scopeName": "PriorityClass", "operator": o, "values": v} for o, v in spec["scopeSelector"]]
        spec = {"scopeSelector": {"matchExpressions": terms}}
    quota = {"metadata": {"name": "small"}, "spec": spec, "status": {"hard": {"pods": "0"}}}
    pod = {"containers": [], "priorityClassName": "high"}
    assert bool(quota_problems([quota], [NewPods("mirror", pod, pod_demand(pod))], {})) is counts


def test_defaults_are_added_where_nothing_is_set() -> None:
    ranges = [limit_range(default={"cpu": "2", "memory": "1Gi"}, defaultRequest={"cpu": "1", "memory": "1Gi"})]
    pod = {"containers": [container(requests={"memory": "64Mi"}), container(limits={"cpu": "3"})]}
    first, second = with_defaults(pod, ranges)["containers"]
    assert first["resources"] == {
        "requests": {"cpu": "1", "memory": "64Mi"},
        "limits": {"cpu": "2", "memory": "1Gi"},
    }
    assert second["resources"]["requests"] == {"cpu": "3", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"min": {"cpu": "1"}}, "requires requests.cpu of at least 1, and the container main has 500m"),
        ({"max": {"cpu": "100m"}}, "allows requests.cpu of at most 100m, and the container main has 500m"),
        ({"max": {"memory": "1Gi"}}, "requires limits.memory of at most 1Gi, and the container main has none"),
        ({"max": {"cpu": "2"}}, None),
        (
            {"maxLimitRequestRatio": {"cpu": "1"}},
            "allows limits.cpu of at most 1 times requests.cpu, and the container main has 1 and 500m",
        ),
        ({"kind": "Pod", "max": {"cpu": "700m"}}, "allows limits.cpu of at most 700m, and the pod has 1"),
        ({"kind": "PersistentVolumeClaim", "max": {"storage": "1Gi"}}, None),
    ],
)
def test_what_a_limit_range_refuses(item: dict[str, Any], reason: str | None) -> None:
    pod = {"containers": [container(requests={"cpu": "500m"}, limits={"cpu": "1"})]}
    found = violations(pod, [limit_range(**item)])
    assert (f"the LimitRange small {reason}" in found) if reason else found == []


@pytest.mark.parametrize(
    ("resource", "value", "text"),
    [
        ("requests.cpu", "0.35", "350m"),
        ("limits.cpu", "2", "2"),
        ("requests.memory", "1048577", "2Mi"),
        ("pods", "3", "3"),
    ],
)
def test_amounts_are_shown_in_the_unit_that_people_use(resource: str, value: str, text: str) -> None:
    assert format_quantity(resource, Decimal(value)) == text
