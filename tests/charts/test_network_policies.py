"""Who may reach the pods, if network policies are enabled."""

from __future__ import annotations

import pytest

from .cases import FULL, PEERS, WORKLOADS
from .front import FRONTS
from .helm import Helm
from .manifests import one, pod


@pytest.mark.parametrize("chart", ["auth", "registry"])
def test_only_the_public_endpoint_reaches_the_front(helm: Helm, chart: str) -> None:
    manifests = helm.render(chart, FULL[chart])
    policy, workload = one(manifests, "NetworkPolicy")["spec"], one(manifests, "Deployment")["spec"]
    assert policy["podSelector"] == workload["selector"]
    assert policy["policyTypes"] == ["Ingress"]
    assert policy["ingress"] == [{"from": PEERS, "ports": [{"port": "http"}]}]


def test_everyone_reaches_the_endpoint_unless_peers_are_named(helm: Helm) -> None:
    (rule,) = one(helm.render("endpoint", FULL["endpoint"]), "NetworkPolicy")["spec"]["ingress"]
    assert rule == {"from": [], "ports": [{"port": "http"}]}
    named = {"networkPolicy": {"enabled": True, "ingressFrom": PEERS}}
    assert one(helm.render("endpoint", named), "NetworkPolicy")["spec"]["ingress"][0]["from"] == PEERS


def test_only_registries_reach_redis_which_reaches_nothing(helm: Helm) -> None:
    policy = one(helm.render("redis", FULL["redis"]), "NetworkPolicy")["spec"]
    assert (policy["policyTypes"], policy["egress"]) == (["Ingress", "Egress"], [])
    ((peer,),) = (rule["from"] for rule in policy["ingress"])
    assert policy["ingress"][0]["ports"] == [{"port": "redis"}]
    assert peer.keys() == {"podSelector"}
    labels = peer["podSelector"]["matchLabels"]
    assert labels.items() <= pod(helm, "registry")["metadata"]["labels"].items()
    assert not labels.items() <= pod(helm, "auth")["metadata"]["labels"].items()


@pytest.mark.parametrize("chart", [*WORKLOADS, "endpoint"])
def test_there_is_none_by_default(helm: Helm, chart: str) -> None:
    assert "NetworkPolicy" not in {manifest["kind"] for manifest in helm.render(chart)}


@pytest.mark.parametrize("chart", FRONTS)
def test_the_metrics_are_closed_unless_peers_are_named(helm: Helm, chart: str) -> None:
    scrapers = [{"podSelector": {"matchLabels": {"app": "prometheus"}}}]
    given = {"networkPolicy": {"enabled": True, "ingressFrom": PEERS, "metricsFrom": scrapers}}
    front = {"from": PEERS, "ports": [{"port": "http"}]}
    metrics = {"from": scrapers, "ports": [{"port": "metrics"}]}
    assert one(helm.render(chart, given), "NetworkPolicy")["spec"]["ingress"] == [front, metrics]
    without = {**given, "metrics": {"enabled": False}}
    assert one(helm.render(chart, without), "NetworkPolicy")["spec"]["ingress"] == [front]
