"""What Prometheus and Grafana need of a mirror: the values of the chart ``monitoring``, and annotations of the pods."""

from typing import Any, TypeVar

import yaml

from regmirror.config.model import Mirror, PodSettings
from regmirror.config.monitoring import Monitoring
from regmirror.desired import names
from regmirror.desired.assets import chart_directory
from regmirror.errors.documentation import alerts_url

PORT_NAME, PATH = "metrics", "/metrics"
"""Of the port of the metrics, and on it."""
_Settings = TypeVar("_Settings", bound=PodSettings)


def monitoring_context(monitoring: Monitoring) -> dict[str, Any]:
    """The variables of the template monitoring.yaml.j2."""
    return {
        "labels": monitoring.labels,
        "pod_monitor": monitoring.scrape == "podMonitor",
        "alerts": monitoring.alerts,
        "disabled": sorted(set(monitoring.disabled_alerts)),
        "runbooks": alerts_url(),
        "dashboard": monitoring.dashboard,
    }


def with_scrape_annotations(mirror: Mirror, settings: _Settings) -> _Settings:
    """The settings of pods with metrics; with ``scrape: annotations``, plain Prometheus finds them by annotations.

    These are a convention of the Prometheus project's example configuration for Kubernetes. Those of the file win.
    """
    if mirror.monitoring.scrape != "annotations":
        return settings
    annotations = {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(names.METRICS_PORT),
        "prometheus.io/path": PATH,
    }
    return settings.model_copy(update={"pod_annotations": {**annotations, **settings.pod_annotations}})


def alert_rules(mirror: Mirror) -> dict[str, Any]:
    """The rules of the PrometheusRule, as a rules file that Prometheus reads without the Operator."""
    text = _chart_file("alerts.yaml").replace("NAMESPACE", mirror.namespace)
    groups = yaml.safe_load(text)["groups"]
    disabled = mirror.monitoring.disabled_alerts
    return {
        "groups": [
            {**group, "rules": [_with_runbook(rule) for rule in group["rules"] if rule["alert"] not in disabled]}
            for group in groups
        ]
    }


def _with_runbook(rule: dict[str, Any]) -> dict[str, Any]:
    return {**rule, "annotations": {**rule["annotations"], "runbook_url": f"{alerts_url()}#{rule['alert'].lower()}"}}


def dashboard() -> str:
    """The dashboard that Grafana imports, as JSON."""
    return _chart_file("dashboard.json")


def scrape_configuration(mirror: Mirror) -> dict[str, Any]:
    """What finds the pods in the configuration of Prometheus, as the Operator does with the PodMonitor.

    Source: Prometheus, Configuration, ``kubernetes_sd_config``, role ``pod``.
    """
    label, container = "__meta_kubernetes_pod_label_app_kubernetes_io_part_of", "__meta_kubernetes_pod_container"
    relabeling = [
        {"source_labels": [label, f"{container}_port_name"], "regex": f"regmirror;{PORT_NAME}"} | {"action": "keep"},
        {"source_labels": ["__meta_kubernetes_pod_phase"], "regex": "Succeeded|Failed", "action": "drop"},
        {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
        {"source_labels": ["__meta_kubernetes_pod_name"], "target_label": "pod"},
        {"source_labels": [f"{container}_name"], "target_label": "container"},
    ]
    job = {
        "job_name": f"{mirror.namespace}/{names.MONITORING}",
        "kubernetes_sd_configs": [{"role": "pod", "namespaces": {"names": [mirror.namespace]}}],
        "relabel_configs": relabeling,
    }
    return {"scrape_configs": [job]}


def _chart_file(name: str) -> str:
    return (chart_directory("monitoring") / "files" / name).read_text(encoding="utf-8")
