"""The permissions that ``deploy`` and ``diff`` need in the namespace."""

from regmirror.config.model import Mirror
from regmirror.errors import PermissionDeniedError
from regmirror.ports.cluster import Cluster, Right, missing_rights

_WRITE = ("get", "list", "create", "patch", "update", "delete")
_SECRETS = ("", "secrets")
_WRITTEN = (
    _SECRETS,
    ("", "services"),
    ("", "configmaps"),
    ("apps", "deployments"),
    ("networking.k8s.io", "ingresses"),
)
_WRITTEN_WITH_REPLICAS = ("policy", "poddisruptionbudgets")
_LEASE = tuple(Right(verb, "coordination.k8s.io", "leases") for verb in ("get", "create", "update"))
_WRITTEN_WITH_POLICIES = ("networking.k8s.io", "networkpolicies")
_READ = (
    # Only the mirror's own namespace: a Role can grant this.
    Right("get", "", "namespaces"),
    Right("list", "", "pods"),
    Right("get", "", "pods/log"),
    Right("list", "", "events"),
)


def deploy_rights(mirror: Mirror) -> list[Right]:
    """What ``deploy`` needs; Helm stores its releases in Secrets, and deletes what a chart no longer contains."""
    return [*(Right(verb, group, resource) for group, resource in _written(mirror) for verb in _WRITE), *_LEASE, *_READ]


def diff_rights(mirror: Mirror) -> list[Right]:
    """What ``diff`` needs; a server-side dry run needs the same permission as the change, as with kubectl."""
    written = [kind for kind in _written(mirror) if kind != _SECRETS]
    applied = [Right(verb, group, resource) for group, resource in written for verb in ("get", "patch")]
    return [Right("get", *_SECRETS), Right("list", *_SECRETS), *applied, Right("get", "", "namespaces")]


def require_rights(cluster: Cluster, rights: list[Right], command: str) -> None:
    """Raises PermissionDeniedError, which names each missing permission of ``command``, unless the user has all."""
    missing = missing_rights(cluster, rights)
    if missing:
        hint = f"use another --context, or ask an administrator to grant them: regmirror rbac {command}"
        raise PermissionDeniedError(missing, hint=hint)


def _written(mirror: Mirror) -> list[tuple[str, str]]:
    several = mirror.auth.replicas > 1 or mirror.registry.replicas > 1
    optional = {_WRITTEN_WITH_REPLICAS: several, _WRITTEN_WITH_POLICIES: mirror.network_policies.enabled}
    return [*_WRITTEN, *(kind for kind, is_written in optional.items() if is_written)]
