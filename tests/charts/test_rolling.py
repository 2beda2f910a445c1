"""When pods are replaced, and that it interrupts no client."""

from __future__ import annotations

import pytest

from .cases import WORKLOADS
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
    assert probe == {"auth": {"path": "/", "port": "http"}, "registry": {"path": "/alive", "port": 8080}}[chart]
    (pause,) = {one["lifecycle"]["preStop"]["sleep"]["seconds"] for one in template["containers"]}
    draining = {"auth": 0, "registry": 60}[chart]
    assert pause >= 5
    assert template["terminationGracePeriodSeconds"] > pause + draining


@pytest.mark.parametrize("chart", SERVING)
def test_a_budget_guards_more_than_one_replica(helm: Helm, chart: str) -> None:
    manifests = helm.render(chart, {"replicas": 2})
    budget, workload = one(manifests, "PodDisruptionBudget")["spec"], one(manifests, "Deployment")["spec"]
    assert workload["replicas"] == 2
    assert budget["maxUnavailable"] == 1
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert budget["selector"] == workload["selector"]
    assert "PodDisruptionBudget" not in {manifest["kind"] for manifest in helm.render(chart)}


def test_redis_never_runs_twice(helm: Helm) -> None:
    spec = deployment(helm, "redis")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_a_new_configuration_of_the_cache_restarts_the_registry(helm: Helm) -> None:
    first, again, changed = (pod(helm, "registry", {"cache": {"tagSeconds": age}}) for age in (5, 5, 6))
    assert first == again
    assert changed != first


def test_the_cache_can_be_disabled(helm: Helm) -> None:
    with_cache, without = (
        one(helm.render("registry", {"cache": {"enabled": enabled}}), "ConfigMap")["data"]["nginx.conf"]
        for enabled in (True, False)
    )
    assert "/manifests/" in with_cache
    assert "proxy_cache tags;" in with_cache
    assert "proxy_cache tags;" not in without


def test_layers_are_not_cached_without_room(helm: Helm) -> None:
    with_cache, without = (
        one(helm.render("registry", {"layerCache": {"bytes": size}}), "ConfigMap")["data"]["nginx.conf"]
        for size in (10**9, 0)
    )
    assert "/blobs/" in with_cache
    assert "/blobs/" not in without


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
