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
    assert probe == {"path": "/", "port": 8080}
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


@pytest.mark.parametrize("chart", SERVING)
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
    assert "proxy_cache" in with_cache
    assert "proxy_cache" not in without
    assert "proxy_pass http://registry;" in without
