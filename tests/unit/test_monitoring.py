"""What a mirror brings for Prometheus and Grafana: only what the file says, and only if the cluster takes it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from regmirror.config.problem import InvalidFileError
from regmirror.deploy.monitoring_preflight import monitoring_warnings
from regmirror.deploy.preflight import preflight_steps
from regmirror.deploy.rights import deploy_rights, diff_rights
from regmirror.desired.releases import Release, build_stack
from regmirror.destroy.rights import destroy_rights
from regmirror.errors import ConfigurationError
from regmirror.ports.cluster import POD_MONITOR, PROMETHEUS, PROMETHEUS_RULE, Object, Right
from regmirror.steps.step import Done
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.fakes.connections import FakeConnections
from tests.fakes.helm import FakeHelm
from tests.fakes.progress import RecordedWaiting

ALL = {"scrape": "podMonitor", "alerts": True, "dashboard": True}
SCRAPED = {"prometheus.io/scrape": "true", "prometheus.io/port": "9113", "prometheus.io/path": "/metrics"}


def releases(**changes: Any) -> dict[str, Release]:
    stack = build_stack(samples.mirror(**changes), samples.mirror_secrets(), {}, samples.NOW)
    return {release.component: release for release in stack.releases}


def server(name: str = "k8s", namespace: str = "monitoring", **spec: Any) -> Object:
    """A Prometheus of the Operator."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": PROMETHEUS.api_version, "kind": PROMETHEUS.kind, "metadata": metadata, "spec": spec}


def warnings(*servers: Object, **monitoring: Any) -> list[str]:
    cluster = FakeCluster()
    cluster.elsewhere = list(servers)
    return monitoring_warnings(samples.mirror(monitoring={"scrape": "podMonitor", **monitoring}), cluster)


def check(cluster: FakeCluster, **monitoring: Any) -> Done:
    connections = FakeConnections(samples.mirror(monitoring=monitoring), cluster, FakeHelm(cluster))
    (step,) = [step for step in preflight_steps(connections) if step.name == "monitoring"]
    return asyncio.run(step.apply(RecordedWaiting()))


def test_by_default_a_mirror_brings_no_object_for_prometheus() -> None:
    found = releases()
    assert "monitoring" not in found
    assert found["registry"].values["podAnnotations"] == {}
    steps = preflight_steps(FakeConnections(samples.mirror(), FakeCluster(), FakeHelm(FakeCluster())))
    assert "monitoring" not in [step.name for step in steps]


def test_the_release_has_what_the_file_says() -> None:
    labels = {"release": "kube-prometheus-stack"}
    values = releases(monitoring={**ALL, "labels": labels, "disabledAlerts": ["RegmirrorNoTraffic"]})[
        "monitoring"
    ].values
    assert values["alerts"].pop("runbooks").endswith("/reference/alerts/")
    assert values == {
        "labels": labels,
        "podMonitor": {"enabled": True},
        "alerts": {"enabled": True, "disabled": ["RegmirrorNoTraffic"]},
        "dashboard": {"enabled": True},
    }


@pytest.mark.parametrize("key", ["alerts", "dashboard"])
def test_alerts_and_dashboard_need_no_pod_monitor(key: str) -> None:
    values = releases(monitoring={key: True})["monitoring"].values
    enabled = {name for name in ("podMonitor", "alerts", "dashboard") if values[name]["enabled"]}
    assert enabled == {key}


def test_annotations_are_on_the_pods_that_have_metrics() -> None:
    ingress = {"service": {"type": "LoadBalancer"}, "tlsSecret": "tls"}
    found = releases(monitoring={"scrape": "annotations"}, ingress=ingress)
    annotated = {name for name, release in found.items() if release.values.get("podAnnotations") == SCRAPED}
    assert annotated == {"auth", "registry", "endpoint"}
    assert "monitoring" not in found


def test_annotations_of_the_file_win() -> None:
    own = {"prometheus.io/scrape": "false", "example.com/team": "platform"}
    found = releases(monitoring={"scrape": "annotations"}, registry={"podAnnotations": own})
    assert found["registry"].values["podAnnotations"] == {**SCRAPED, **own}


@pytest.mark.parametrize("key", [{"scrape": "annotations"}, {"scrape": "podMonitor"}, {"alerts": True}])
def test_without_metrics_nothing_can_read_them(key: dict[str, Any]) -> None:
    with pytest.raises(InvalidFileError, match=f"monitoring.{next(iter(key))}: needs metrics"):
        samples.mirror(monitoring={"metrics": False, **key})


def test_an_unknown_alert_is_refused() -> None:
    with pytest.raises(InvalidFileError, match=r"monitoring.disabledAlerts\[0\]"):
        samples.mirror(monitoring={"disabledAlerts": ["RegmirrorNoTrafic"]})


def test_the_labels_of_the_release_cannot_be_replaced() -> None:
    with pytest.raises(InvalidFileError, match=r"app.kubernetes.io/name is set by regmirror"):
        samples.mirror(monitoring={"labels": {"app.kubernetes.io/name": "other"}})


@pytest.mark.parametrize(
    ("kind", "monitoring", "hint"),
    [
        (POD_MONITOR, {"scrape": "podMonitor"}, "monitoring.scrape: annotations"),
        (PROMETHEUS_RULE, {"alerts": True}, "regmirror monitoring rules"),
    ],
)
def test_a_cluster_without_the_operator_is_reported_with_the_alternative(
    kind: Any, monitoring: dict[str, Any], hint: str
) -> None:
    cluster = FakeCluster()
    cluster.unknown_kinds = {kind}
    with pytest.raises(ConfigurationError, match=f"has no kind {kind.kind} of the Prometheus Operator") as caught:
        check(cluster, **monitoring)
    assert hint in (caught.value.hint or "")


def test_the_kinds_of_the_operator_are_checked_if_they_are_used() -> None:
    assert check(FakeCluster(), **ALL) == Done("PodMonitor, PrometheusRule")
    cluster = FakeCluster()
    cluster.unknown_kinds = {PROMETHEUS_RULE}
    assert check(cluster, scrape="podMonitor") == Done("PodMonitor")


def test_a_role_has_the_kinds_of_the_operator_only_if_they_are_used() -> None:
    group = "monitoring.coreos.com"
    used = samples.mirror(monitoring=ALL)
    for rights in (deploy_rights, diff_rights, destroy_rights):
        assert {right.resource for right in rights(used) if right.group == group} == {"podmonitors", "prometheusrules"}
        assert not [right for right in rights(samples.mirror()) if right.group == group]
    assert Right("create", group, "podmonitors") in deploy_rights(used)
    assert Right("create", group, "podmonitors") not in destroy_rights(used)


def test_a_prometheus_that_selects_everything_needs_no_labels() -> None:
    assert warnings(server(podMonitorSelector={}, podMonitorNamespaceSelector={})) == []


def test_one_prometheus_that_selects_the_pod_monitor_is_enough() -> None:
    other = server("other", podMonitorSelector={"matchLabels": {"team": "a"}}, podMonitorNamespaceSelector={})
    assert warnings(other, server(podMonitorSelector={}, podMonitorNamespaceSelector={})) == []


def test_a_label_that_prometheus_requires_is_named() -> None:
    """The default of kube-prometheus-stack."""
    stack = server(podMonitorSelector={"matchLabels": {"release": "stack"}}, podMonitorNamespaceSelector={})
    assert warnings(stack) == [
        "no Prometheus selects the PodMonitor: monitoring/k8s requires the label release=stack: set monitoring.labels"
    ]
    assert warnings(stack, labels={"release": "stack"}) == []


def test_labels_of_the_release_can_be_selected() -> None:
    selector = {"matchLabels": {"app.kubernetes.io/part-of": "regmirror"}}
    assert warnings(server(podMonitorSelector=selector, podMonitorNamespaceSelector={})) == []


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({}, "monitoring/k8s has no podMonitorSelector"),
        ({"podMonitorSelector": {}}, "selects only its own namespace"),
        (
            {"podMonitorSelector": {}, "podMonitorNamespaceSelector": {"matchLabels": {"scrape": "yes"}}},
            "requires of the namespace the label scrape=yes",
        ),
    ],
)
def test_what_a_prometheus_does_not_select_is_explained(spec: dict[str, Any], reason: str) -> None:
    (warning,) = warnings(server(**spec))
    assert reason in warning


def test_a_prometheus_in_the_namespace_of_the_mirror_needs_no_selector_of_namespaces() -> None:
    assert warnings(server(namespace="regmirror", podMonitorSelector={})) == []


def test_without_a_prometheus_of_the_operator_there_is_no_warning() -> None:
    assert warnings() == []


def test_rules_are_selected_by_fields_of_their_own() -> None:
    both = server(
        podMonitorSelector={}, podMonitorNamespaceSelector={}, ruleSelector={"matchLabels": {"role": "alerts"}}
    )
    (warning,) = warnings(both, alerts=True)
    assert warning.startswith("no Prometheus selects the PrometheusRule: monitoring/k8s requires the label role=alerts")
