"""What the cluster offers to a new mirror: Ingress classes, Gateways and cert-manager issuers."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from regmirror.errors import ClusterError, KubeconfigError, PermissionDeniedError
from regmirror.ports.cluster import CLUSTER_ISSUER, GATEWAY, INGRESS_CLASS, Cluster

_DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"


@dataclass(frozen=True, slots=True)
class ClusterOffers:
    """The names in a cluster; ``error`` says why they are unknown, and is empty if they are known."""

    context: str = ""
    classes: tuple[str, ...] = ()
    default_class: str = ""
    issuers: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    """The HTTPS listeners of Gateways: NAMESPACE/NAME/LISTENER."""
    error: str = ""


def cluster_offers(kubeconfig: Path | None, context: str | None, namespace: str) -> ClusterOffers:
    """Ask the cluster; an error is part of the result, because ``init`` also works without a cluster."""
    from regmirror.adapters.cluster import KubernetesCluster

    try:
        cluster = KubernetesCluster(kubeconfig, context, namespace)
        classes = cluster.select(INGRESS_CLASS)
        issuers = cluster.select(CLUSTER_ISSUER)
        gateways = _gateways(cluster)
    except (ClusterError, KubeconfigError) as error:
        return ClusterOffers(error=error.message)
    defaults = [
        item["metadata"]["name"]
        for item in classes
        if (item["metadata"].get("annotations") or {}).get(_DEFAULT_CLASS) == "true"
    ]
    return ClusterOffers(
        cluster.context,
        tuple(sorted(item["metadata"]["name"] for item in classes)),
        defaults[0] if defaults else "",
        tuple(sorted(item["metadata"]["name"] for item in issuers)),
        gateways,
    )


def _gateways(cluster: Cluster) -> tuple[str, ...]:
    """The HTTPS listeners of all Gateways; none if the user may not list them, because a mirror can do without."""
    with suppress(PermissionDeniedError):
        return tuple(
            sorted(
                f"{item['metadata']['namespace']}/{item['metadata']['name']}/{listener['name']}"
                for item in cluster.select(GATEWAY, everywhere=True)
                for listener in item["spec"].get("listeners") or []
                if listener["protocol"] == "HTTPS"
            )
        )
    return ()
