"""Names and labels that connect the objects of a mirror."""

from __future__ import annotations

import pytest

from .cases import PODS, RENDERED
from .helm import Helm
from .manifests import one

API_VERSIONS = {
    "Certificate": "cert-manager.io/v1",
    "ConfigMap": "v1",
    "CronJob": "batch/v1",
    "Deployment": "apps/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "HTTPRoute": "gateway.networking.k8s.io/v1",
    "ListenerSet": "gateway.networking.k8s.io/v1",
    "Ingress": "networking.k8s.io/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "PersistentVolumeClaim": "v1",
    "PodDisruptionBudget": "policy/v1",
    "Role": "rbac.authorization.k8s.io/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1",
    "PodMonitor": "monitoring.coreos.com/v1",
    "PrometheusRule": "monitoring.coreos.com/v1",
    "Service": "v1",
    "ServiceAccount": "v1",
}


@pytest.mark.parametrize("case", RENDERED)
def test_every_object_is_named_and_labelled(helm: Helm, case: str) -> None:
    chart, values = RENDERED[case]
    hosts = {"mirror-mirror.example.com", "mirror-hub.example.com", "mirror-quay.example.com"}
    secrets = {"mirror-tls", "hub-tls", "quay-tls"}
    for manifest in helm.render(chart, values):
        assert manifest["apiVersion"] == API_VERSIONS[manifest["kind"]]
        metadata = manifest["metadata"]
        named = {"ingress": hosts, "certificates": secrets}.get(chart, {"mirror"})
        assert metadata["name"] in named
        assert (
            metadata["labels"].items()
            >= {
                "app.kubernetes.io/name": chart,
                "app.kubernetes.io/instance": "mirror",
                "app.kubernetes.io/component": chart,
                "app.kubernetes.io/part-of": "regmirror",
                "app.kubernetes.io/managed-by": "Helm",
            }.items()
        )
        assert metadata["labels"].keys() >= {"app.kubernetes.io/version", "helm.sh/chart"}


@pytest.mark.parametrize("case", PODS)
def test_service_finds_the_pods_by_labels_that_never_change(helm: Helm, case: str) -> None:
    manifests = helm.render(*RENDERED[case])
    service, workload = one(manifests, "Service")["spec"], one(manifests, "Deployment")["spec"]
    chart = RENDERED[case][0]
    assert service["selector"] == {"app.kubernetes.io/name": chart, "app.kubernetes.io/instance": "mirror"}
    assert workload["selector"]["matchLabels"] == service["selector"]
    assert service["selector"].items() <= workload["template"]["metadata"]["labels"].items()
    containers = workload["template"]["spec"]["containers"]
    names = {port["name"]: port["containerPort"] for each in containers for port in each.get("ports", [])}
    entered = {"redis": 6379}.get(chart, 8080)
    reached = {"redis": 6379, "auth": 5001, "registry": 5000}.get(chart) or RENDERED[case][1].get(
        "service", {"port": 443}
    )["port"]
    assert [(names[port["targetPort"]], port["port"]) for port in service["ports"]] == [(entered, reached)]


@pytest.mark.parametrize("case", PODS)
def test_a_service_has_both_address_families_where_the_cluster_has_both(helm: Helm, case: str) -> None:
    service = one(helm.render(*RENDERED[case]), "Service")["spec"]
    assert service["ipFamilyPolicy"] == "PreferDualStack"
    assert "ipFamilies" not in service
    chart = RENDERED[case][0]
    # A service mesh takes the protocol from the name of a port, or from appProtocol.
    known = {"redis": ("redis", "redis"), "endpoint": ("https", None)}
    assert [(port["name"], port.get("appProtocol")) for port in service["ports"]] == [known.get(chart, ("http", None))]


@pytest.mark.parametrize("case", RENDERED)
def test_no_object_is_cluster_scoped(helm: Helm, case: str) -> None:
    """Several mirrors in one cluster share nothing."""
    namespaced = {*API_VERSIONS}
    assert {manifest["kind"] for manifest in helm.render(*RENDERED[case])} <= namespaced
