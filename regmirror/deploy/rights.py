"""The permissions that ``deploy`` and ``diff`` need in the namespace."""

from regmirror.config.find_references import referenced_cluster_secrets
from regmirror.config.model import Mirror
from regmirror.deploy.pod_prerequisites import named_service_accounts
from regmirror.desired import names
from regmirror.desired.self_signed import self_signed_secrets
from regmirror.errors import PermissionDeniedError
from regmirror.ports.cluster import Cluster, Right, missing_rights, rights_on_secrets
from regmirror.workloads.issuance import issuance_rights
from regmirror.workloads.proxy_pod import PROXY_RIGHTS

_WRITE = ("get", "list", "create", "patch", "update", "delete")
_WRITTEN = (
    ("", "services"),
    ("", "configmaps"),
    ("apps", "deployments"),
    ("networking.k8s.io", "ingresses"),
)
_WRITTEN_WITH_ACCOUNTS = ("", "serviceaccounts")
_WRITTEN_WITH_AUTOSCALING = ("autoscaling", "horizontalpodautoscalers")
_WRITTEN_WITH_REPLICAS = ("policy", "poddisruptionbudgets")
_LEASE = tuple(Right(verb, "coordination.k8s.io", "leases") for verb in ("get", "create", "update"))
_WRITTEN_WITH_VOLUMES = ("", "persistentvolumeclaims")
_WRITTEN_WITH_POLICIES = ("networking.k8s.io", "networkpolicies")
_WRITTEN_WITH_ISSUER = ("cert-manager.io", "certificates")
HELM_RECORDS = tuple(Right(verb, "", "secrets") for verb in ("get", "list", "create", "update", "delete"))
"""Helm stores each revision of a release in a new Secret, whose name nobody knows in advance."""
_READ = (
    # Only the mirror's own namespace: a Role can grant this.
    Right("get", "", "namespaces"),
    Right("list", "", "pods"),
    Right("get", "", "pods/log"),
    Right("list", "", "events"),
)


_ADMISSION = (
    Right("list", "", "resourcequotas"),
    Right("list", "", "limitranges"),
    # Only for dry runs: Deployments create the pods.
    Right("create", "", "pods"),
)
PORT_FORWARD = (Right("get", "", "pods/portforward"), Right("create", "", "pods/portforward"))


def optional_rights(mirror: Mirror) -> list[Right]:
    """Without these, ``deploy`` does not check what they are about: who admits pods, and what only pods can use."""
    accounts = named_service_accounts(mirror).values()
    read = [Right("get", "", "serviceaccounts", name) for name in dict.fromkeys(accounts)]
    has_bucket = mirror.storage.filesystem is None
    asked = PORT_FORWARD if has_bucket and mirror.storage.access_key is None else ()
    proxy = PROXY_RIGHTS if mirror.storage.endpoint else ()
    return list(dict.fromkeys([*_ADMISSION, *read, *asked, *proxy]))


def deploy_rights(mirror: Mirror) -> list[Right]:
    """What ``deploy`` needs; Helm deletes what a chart no longer contains."""
    patched = rights_on_secrets(["patch"], _deployed(mirror))
    written = [Right(verb, group, resource) for group, resource in _written(mirror) for verb in _WRITE]
    return [*HELM_RECORDS, *patched, *written, *issuance_rights(mirror), *_LEASE, *_READ, *_claim(mirror)]


def diff_rights(mirror: Mirror) -> list[Right]:
    """What ``diff`` needs; a server-side dry run needs the same permission as the change, as with kubectl.

    Secrets are listed, and so may be read, because Helm stores its releases in them.
    """
    read = rights_on_secrets(["get"], [*_deployed(mirror), *mirror.tls_secrets, *referenced_cluster_secrets(mirror)])
    applied = [Right(verb, group, resource) for group, resource in _written(mirror) for verb in ("get", "patch")]
    return [Right("list", "", "secrets"), *read, *applied, Right("get", "", "namespaces"), *_claim(mirror)]


def _claim(mirror: Mirror) -> list[Right]:
    """What reads an existing PersistentVolumeClaim."""
    claim = mirror.storage.filesystem.claim if mirror.storage.filesystem else None
    return [Right("get", "", "persistentvolumeclaims", claim)] if claim else []


def _deployed(mirror: Mirror) -> list[str]:
    deployed = names.deployed_secrets(upstream.name for upstream in mirror.upstreams)
    return [*deployed, *self_signed_secrets(mirror)]


def require_rights(cluster: Cluster, rights: list[Right], command: str) -> None:
    """Raises PermissionDeniedError, which names each missing permission of ``command``, unless the user has all."""
    missing = missing_rights(cluster, rights)
    if missing:
        hint = f"use another --context, or ask an administrator to grant them: regmirror rbac {command}"
        raise PermissionDeniedError(missing, hint=hint)


def optional_kinds(mirror: Mirror) -> list[tuple[str, str]]:
    """Group and resource of what the releases contain only if the file says so."""
    return [kind for kind in _written(mirror) if kind not in _WRITTEN]


def _written(mirror: Mirror) -> list[tuple[str, str]]:
    accounts = [component.service_account for component in (mirror.registry, mirror.auth, mirror.redis)]
    filesystem, service = mirror.storage.filesystem, mirror.ingress.service
    replicas = (mirror.auth.replicas, mirror.registry.most_replicas, service.replicas if service else 1)
    optional = {
        _WRITTEN_WITH_REPLICAS: max(replicas) > 1,
        _WRITTEN_WITH_VOLUMES: filesystem is not None and filesystem.claim is None,
        _WRITTEN_WITH_POLICIES: mirror.network_policies.enabled,
        _WRITTEN_WITH_ISSUER: mirror.ingress.issuer is not None,
        _WRITTEN_WITH_ACCOUNTS: any(account and account.create for account in accounts),
        _WRITTEN_WITH_AUTOSCALING: mirror.registry.autoscaling is not None,
    }
    return [*_WRITTEN, *route_resources(mirror), *(kind for kind, is_written in optional.items() if is_written)]


def route_resources(mirror: Mirror) -> list[tuple[str, str]]:
    """Group and resource of what attaches the mirror to a Gateway; none for an Ingress."""
    gateway = mirror.ingress.gateway
    resources = ["httproutes"] if gateway else []
    resources += ["listenersets"] if gateway and gateway.listener_set else []
    return [("gateway.networking.k8s.io", resource) for resource in resources]
