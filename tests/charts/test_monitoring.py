"""What the Prometheus Operator and Grafana read: each object only if it is enabled, as its real definition says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab import prometheus_operator
from lab.instance import Instance
from regmirror.config.monitoring import ALERTS
from regmirror.desired.monitoring import PORT_NAME, alert_rules, dashboard
from tests import samples
from tests.unit.api_schemas import custom_faults, custom_schemas

from .cases import FULL
from .helm import Helm
from .manifests import one

KINDS = {"podMonitor": "PodMonitor", "alerts": "PrometheusRule", "dashboard": "ConfigMap"}


def test_the_real_definitions_of_the_operator_accept_the_objects(helm: Helm) -> None:
    definitions = prometheus_operator.definitions(Instance.from_environment().cache)
    if not definitions:
        pytest.skip("no definitions here: the lab downloads them, with python -m lab build")
    schemas = custom_schemas(definitions)
    manifests = [found for found in helm.render("monitoring", FULL["monitoring"]) if found["kind"] != "ConfigMap"]
    assert len(manifests) == 2
    for manifest in manifests:
        assert list(custom_faults(manifest, schemas[manifest["apiVersion"], manifest["kind"]])) == []


@pytest.mark.parametrize("enabled", KINDS)
def test_each_object_can_be_the_only_one(helm: Helm, enabled: str) -> None:
    values = {key: {"enabled": key == enabled} for key in KINDS}
    assert [found["kind"] for found in helm.render("monitoring", values)] == [KINDS[enabled]]


def test_the_labels_select_every_object_and_replace_none_of_the_release(helm: Helm) -> None:
    labels = {"release": "prometheus", "app.kubernetes.io/instance": "other", "grafana_dashboard": "yes"}
    for manifest in helm.render("monitoring", {"labels": labels}):
        found = manifest["metadata"]["labels"]
        assert (found["release"], found["app.kubernetes.io/instance"]) == ("prometheus", "mirror")
        assert found["grafana_dashboard"] == "yes"


def test_grafana_finds_the_dashboard_without_labels(helm: Helm) -> None:
    found = one(helm.render("monitoring"), "ConfigMap")
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(found["data"]["regmirror.json"]) == json.loads(dashboard())


def test_the_pod_monitor_scrapes_the_port_of_the_metrics(helm: Helm) -> None:
    spec = one(helm.render("monitoring"), "PodMonitor")["spec"]
    assert spec["podMetricsEndpoints"] == [{"port": PORT_NAME}]
    assert spec["selector"] == {"matchLabels": {"app.kubernetes.io/part-of": "regmirror"}}


@pytest.mark.parametrize("disabled", [[], ["RegmirrorNoTraffic", "RegmirrorCheckFails"]])
def test_the_rule_has_what_the_command_prints(helm: Helm, disabled: list[str]) -> None:
    mirror = samples.mirror(namespace="default", monitoring={"disabledAlerts": disabled})
    printed = alert_rules(mirror)
    runbook = printed["groups"][0]["rules"][0]["annotations"]["runbook_url"].partition("#")[0]
    values: dict[str, Any] = {"alerts": {"disabled": disabled, "runbooks": runbook}}
    assert one(helm.render("monitoring", values), "PrometheusRule")["spec"] == printed
    rules = [rule["alert"] for group in printed["groups"] for rule in group["rules"]]
    assert rules == [alert for alert in ALERTS if alert not in disabled]
