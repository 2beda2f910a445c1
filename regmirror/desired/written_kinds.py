"""The kinds of objects that the Helm releases of a mirror contain, and the records of Helm itself."""

from regmirror.config.model import Mirror
from regmirror.desired.rights import Right

_WRITTEN = (
    ("", "services"),
    ("", "configmaps"),
    ("apps", "deployments"),
    ("networking.k8s.io", "ingresses"),
)
_WRITTEN_WITH_ACCOUNTS = ("", "serviceaccounts")
_WRITTEN_WITH_AUTOSCALING = ("autoscaling", "horizontalpodautoscalers")
_WRITTEN_WITH_REPLICAS = ("policy", "poddisruptionbudgets")
_WRITTEN_WITH_VOLUMES = ("", "persistentvolumeclaims")
_WRITTEN_WITH_POLICIES = ("networking.k8s.io", "networkpolicies")
_WRITTEN_WITH_ISSUER = ("cert-manager.io", "certificates")
HELM_RECORDS = tuple(Right(verb, "", "secrets") for verb in ("get", "list", "create", "update", "delete"))
"""Helm stores each revision of a release in a new Secret, whose name nobody knows in advance."""


def optional_kinds(mirror: Mirror) -> list[tuple[str, str]]:
    """Group and resource of what the releases contain only if the file says so."""
    return [kind for kind in written_kinds(mirror) if kind not in _WRITTEN]


def written_kinds(mirror: Mirror) -> list[tuple[str, str]]:
    """Group and resource of everything that the releases of the serving pods contain."""
    accounts = [component.service_account for component in (mirror.registry, mirror.auth, mirror.redis)]
    filesystem, service = mirror.storage.filesystem, mirror.ingress.service
    replicas = (mirror.auth.replicas, mirror.registry.most_replicas, service.replicas if service else 1)
    sign_in = mirror.access.sign_in
    has_volume = (filesystem and filesystem.claim is None) or (sign_in and sign_in.has_volume)
    optional = {
        _WRITTEN_WITH_REPLICAS: max(replicas) > 1,
        _WRITTEN_WITH_VOLUMES: bool(has_volume),
        _WRITTEN_WITH_POLICIES: mirror.network_policies.enabled,
        _WRITTEN_WITH_ISSUER: mirror.ingress.issuer is not None,
        _WRITTEN_WITH_ACCOUNTS: any(account and account.create for account in accounts),
        _WRITTEN_WITH_AUTOSCALING: mirror.registry.autoscaling is not None,
    }
    kinds = [*_WRITTEN, *route_resources(mirror), *monitoring_resources(mirror)]
    return [*kinds, *(kind for kind, is_written in optional.items() if is_written)]


def monitoring_resources(mirror: Mirror) -> list[tuple[str, str]]:
    """Group and resource of what the Prometheus Operator reads of the mirror."""
    resources = ["podmonitors"] if mirror.monitoring.scrape == "podMonitor" else []
    resources += ["prometheusrules"] if mirror.monitoring.alerts else []
    return [("monitoring.coreos.com", resource) for resource in resources]


def route_resources(mirror: Mirror) -> list[tuple[str, str]]:
    """Group and resource of what attaches the mirror to a Gateway; none for an Ingress."""
    gateway = mirror.ingress.gateway
    resources = ["httproutes"] if gateway else []
    resources += ["listenersets"] if gateway and gateway.listener_set else []
    return [("gateway.networking.k8s.io", resource) for resource in resources]
