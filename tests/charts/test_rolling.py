"""When pods are replaced, and that it interrupts no client."""

from __future__ import annotations

import pytest

from .cases import WORKLOADS
from .front import FRONTS
from .helm import Helm
from .manifests import deployment, one, pod

SERVING = ("auth", "registry")


@pytest.mark.parametrize("chart", WORKLOADS)
def test_only_a_new_secret_version_restarts_the_pods(helm: Helm, chart: str) -> None:
    first, again, changed = (pod(helm, chart, {"secretVersions": version}) for version in ("0a", "0a", "1b"))
    assert first == again
    assert changed["spec"] == first["spec"]
    assert changed["metadata"]["annotations"] == {"regmirror.dev/secret-versions": "1b"}
    assert "helm.sh/chart" not in first["metadata"]["labels"]
    assert "annotations" not in pod(helm, chart)["metadata"]


@pytest.mark.parametrize("chart", SERVING)
def test_rolls_without_a_gap(helm: Helm, chart: str) -> None:
    spec = deployment(helm, chart)["spec"]
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    template = spec["template"]["spec"]
    probe = template["containers"][0]["readinessProbe"]["httpGet"]
    assert probe == {"path": {"auth": "/", "registry": "/alive"}[chart], "port": 8080}
    (pause,) = {one["lifecycle"]["preStop"]["sleep"]["seconds"] for one in template["containers"]}
    draining = {"auth": 0, "registry": 60}[chart]
    assert pause >= 5
    assert template["terminationGracePeriodSeconds"] > pause + draining


@pytest.mark.parametrize("chart", FRONTS)
def test_a_budget_guards_more_than_one_replica(helm: Helm, chart: str) -> None:
    manifests = helm.render(chart, {"replicas": 2})
    budget, workload = one(manifests, "PodDisruptionBudget")["spec"], one(manifests, "Deployment")["spec"]
    assert workload["replicas"] == 2
    assert budget["maxUnavailable"] == 1
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert budget["selector"] == workload["selector"]
    assert "PodDisruptionBudget" not in {manifest["kind"] for manifest in helm.render(chart)}


def test_an_autoscaler_sets_the_replicas_and_the_chart_does_not(helm: Helm) -> None:
    values = {"autoscaling": {"enabled": True, "minReplicas": 2, "maxReplicas": 5, "targetCPU": 60}}
    manifests = helm.render("registry", values)
    workload, scaler = one(manifests, "Deployment"), one(manifests, "HorizontalPodAutoscaler")["spec"]
    assert "replicas" not in workload["spec"]
    assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "mirror"}
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 5)
    assert [metric["resource"]["target"]["averageUtilization"] for metric in scaler["metrics"]] == [60]
    assert one(manifests, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    assert workload["spec"]["template"] == deployment(helm, "registry")["spec"]["template"]


def test_redis_never_runs_twice(helm: Helm) -> None:
    spec = deployment(helm, "redis")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


@pytest.mark.parametrize("chart", FRONTS)
def test_a_new_configuration_of_the_front_restarts_the_pods(helm: Helm, chart: str) -> None:
    first, again, changed = (
        pod(helm, chart, {"front": {"trustedProxies": [network]}})
        for network in ("10.0.0.0/8", "10.0.0.0/8", "10.1.0.0/16")
    )
    assert first == again
    assert changed != first


def test_the_cache_can_be_disabled(helm: Helm) -> None:
    with_cache, without = (
        one(helm.render("registry", {"cache": {"enabled": enabled}}), "ConfigMap")["data"]["nginx.conf"]
        for enabled in (True, False)
    )
    assert "proxy_cache tags;" in with_cache
    assert "proxy_cache tags;" not in without


def test_layers_are_not_cached_without_room(helm: Helm) -> None:
    with_cache, without = (
        one(helm.render("registry", {"layerCache": {"bytes": size}}), "ConfigMap")["data"]["nginx.conf"]
        for size in (10**9, 0)
    )
    assert "location /complete/" in with_cache
    assert "location /complete/" not in without


def test_the_volume_of_the_layers_has_more_room_than_they_take(helm: Helm) -> None:
    size = 10**10
    volumes = {
        name: next(v for v in pod(helm, "registry", {"layerCache": cache})["spec"]["volumes"] if v["name"] == "layers")
        for name, cache in {
            "emptyDir": {"bytes": size},
            "class": {"bytes": size, "storageClassName": "local-path"},
        }.items()
    }
    claim = volumes["class"]["ephemeral"]["volumeClaimTemplate"]["spec"]
    assert claim["storageClassName"] == "local-path"
    assert int(volumes["emptyDir"]["emptyDir"]["sizeLimit"]) == int(claim["resources"]["requests"]["storage"]) > size


def test_the_layers_do_not_exceed_the_pods_ephemeral_storage(helm: Helm) -> None:
    """The kubelet adds the volumes of a pod, and compares them with the limits of its containers."""
    limits = {
        name: next(
            c for c in pod(helm, "registry", {"layerCache": cache})["spec"]["containers"] if c["name"] == "fetcher"
        )
        for name, cache in {
            "emptyDir": {"bytes": 10**10},
            "class": {"bytes": 10**10, "storageClassName": "local-path"},
        }.items()
    }
    storage = {name: int(found["resources"]["limits"]["ephemeral-storage"]) for name, found in limits.items()}
    assert storage["class"] < 10**9
    assert storage["emptyDir"] > 105 * 10**8
