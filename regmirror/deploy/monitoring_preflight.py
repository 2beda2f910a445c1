"""Whether the cluster takes objects of the Prometheus Operator, and whether one of its Prometheus selects them.

Source: Prometheus Operator, API reference of monitoring.coreos.com/v1, ``Prometheus.spec.podMonitorSelector`` and
``ruleSelector``, and the selectors of their namespaces.
"""

from regmirror.config.model import Mirror
from regmirror.desired.names import MONITORING
from regmirror.errors import ConfigurationError
from regmirror.ports.cluster import NAMESPACE, POD_MONITOR, PROMETHEUS, PROMETHEUS_RULE, Cluster, Kind, Object
from regmirror.steps.step import Done
from regmirror.workloads.label_selectors import namespace_labels, unmet_requirements

_SELECTORS = {POD_MONITOR: "podMonitor", PROMETHEUS_RULE: "rule"}
"""By kind: how the fields of a Prometheus that select it begin."""
_OWN_LABELS = {
    **{f"app.kubernetes.io/{key}": "monitoring" for key in ("name", "component")},
    "app.kubernetes.io/instance": MONITORING,
    "app.kubernetes.io/part-of": "regmirror",
    "app.kubernetes.io/managed-by": "Helm",
}
"""What the chart adds to ``monitoring.labels``."""


def _wanted(mirror: Mirror) -> dict[Kind, str]:
    """The kinds that the mirror needs, each with the key of the file that says so."""
    monitoring = mirror.monitoring
    keys = {POD_MONITOR: monitoring.scrape == "podMonitor", PROMETHEUS_RULE: monitoring.alerts}
    names = {POD_MONITOR: "monitoring.scrape", PROMETHEUS_RULE: "monitoring.alerts"}
    return {kind: names[kind] for kind, is_used in keys.items() if is_used}


def check_monitoring(mirror: Mirror, cluster: Cluster) -> Done:
    """Raises ConfigurationError if the API server does not know a kind."""
    for kind, key in _wanted(mirror).items():
        if not cluster.serves(kind):
            alternative = {
                POD_MONITOR: "set monitoring.scrape: annotations, or use regmirror monitoring scrape-config",
                PROMETHEUS_RULE: "remove monitoring.alerts, and use regmirror monitoring rules",
            }
            raise ConfigurationError(
                f"{key}: the cluster has no kind {kind.kind} of the Prometheus Operator ({kind.api_version})",
                hint=f"install the Prometheus Operator; or, without it, {alternative[kind]}",
            )
    return Done(", ".join(kind.kind for kind in _wanted(mirror)))


def monitoring_warnings(mirror: Mirror, cluster: Cluster) -> list[str]:
    """A sentence for each kind that no Prometheus of the Operator selects. Raises PermissionDeniedError."""
    wanted = _wanted(mirror)
    servers = cluster.select(PROMETHEUS, everywhere=True) if wanted else []
    if not servers:
        return []
    namespace = cluster.get(NAMESPACE, mirror.namespace) or {"metadata": {"name": mirror.namespace}}
    warnings = []
    for kind in wanted:
        reasons = [_refusal(server, kind, mirror, namespace) for server in servers]
        if all(reasons):
            warnings.append(f"no Prometheus selects the {kind.kind}: {'; '.join(reasons)}")
    return warnings


def _refusal(server: Object, kind: Kind, mirror: Mirror, namespace: Object) -> str:
    """Why a Prometheus does not select the objects of a kind; empty if it does."""
    spec, metadata = server["spec"], server["metadata"]
    name, field = f"{metadata['namespace']}/{metadata['name']}", _SELECTORS[kind]
    selector, of_namespaces = spec.get(f"{field}Selector"), spec.get(f"{field}NamespaceSelector")
    if selector is None:
        return f"{name} has no {field}Selector"
    if unmet := list(unmet_requirements(selector, {**_OWN_LABELS, **mirror.monitoring.labels})):
        return f"{name} requires {', '.join(unmet)}: set monitoring.labels"
    if of_namespaces is None:
        is_same = metadata["namespace"] == mirror.namespace
        return "" if is_same else f"{name} has no {field}NamespaceSelector, and so selects only its own namespace"
    unmet = list(unmet_requirements(of_namespaces, namespace_labels(namespace)))
    return f"{name} requires of the namespace {', '.join(unmet)}" if unmet else ""
