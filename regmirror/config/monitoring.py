"""The section ``monitoring`` of the configuration file."""

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field

from regmirror.config.kubernetes_fields import LabelValue, QualifiedName
from regmirror.config.network_policies import Peer
from regmirror.config.pod_settings import without
from regmirror.config.section import Section

Alert = Literal[
    "RegmirrorMetricsMissing",
    "RegmirrorPodDown",
    "RegmirrorPodRestarts",
    "RegmirrorPullsFail",
    "RegmirrorTokensFail",
    "RegmirrorNoTraffic",
    "RegmirrorUpstreamRateLimited",
    "RegmirrorUpstreamFails",
    "RegmirrorStaleContent",
    "RegmirrorHitRatioDropped",
    "RegmirrorStorageFails",
    "RegmirrorCacheDiskFull",
    "RegmirrorCacheTooSmall",
    "RegmirrorSigningCertificateExpires",
    "RegmirrorPublicCertificateExpires",
    "RegmirrorCheckFails",
    "RegmirrorVerificationOverdue",
]
"""An alert in charts/monitoring/files/alerts.yaml."""
ALERTS: tuple[str, ...] = get_args(Alert)


class Monitoring(Section):
    """What a monitoring system reads of the mirror."""

    metrics: Annotated[
        bool,
        Field(
            description="Run a small program in each pod of a registry, of docker_auth and of nginx that shows metrics "
            "on port 9113, and nothing else. It runs with the image of the fetcher."
        ),
    ] = True
    scrape_from: Annotated[
        list[Peer],
        Field(
            description="With networkPolicies.enabled, the pods and networks that may read the metrics, in the "
            "notation of a NetworkPolicy (default: none). Without it, every pod of the cluster can read them.",
            examples=[[{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]],
        ),
    ] = []  # noqa: RUF012 - Pydantic copies it
    scrape: Annotated[
        Literal["none", "annotations", "podMonitor"],
        Field(
            description="How Prometheus finds the pods: podMonitor creates a PodMonitor of the Prometheus Operator, "
            "annotations adds prometheus.io/scrape, port and path to the pods, none leaves it to Prometheus."
        ),
    ] = "none"
    alerts: Annotated[
        bool, Field(description="Create a PrometheusRule of the Prometheus Operator with the alerts of the mirror.")
    ] = False
    disabled_alerts: Annotated[
        list[Alert], Field(description="Alerts to leave out.", examples=[["RegmirrorNoTraffic"]])
    ] = []  # noqa: RUF012 - Pydantic copies it
    dashboard: Annotated[
        bool, Field(description="Create a ConfigMap with a dashboard, which the sidecar of Grafana's chart imports.")
    ] = False
    labels: Annotated[
        dict[QualifiedName, LabelValue],
        AfterValidator(without("app.kubernetes.io/", "helm.sh/")),
        Field(
            description="Labels of these objects, by which the Prometheus Operator and Grafana select them.",
            examples=[{"release": "kube-prometheus-stack"}],
        ),
    ] = {}  # noqa: RUF012 - Pydantic copies it

    @property
    def has_objects(self) -> bool:
        """Whether the mirror has objects for Prometheus or Grafana."""
        return self.scrape == "podMonitor" or self.alerts or self.dashboard
