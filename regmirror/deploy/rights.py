"""The permissions that ``deploy`` and ``diff`` need in the namespace."""

from regmirror.config.find_references import referenced_cluster_secrets
from regmirror.config.model import Mirror
from regmirror.deploy.pod_prerequisites import named_service_accounts
from regmirror.desired import names
from regmirror.errors import PermissionDeniedError
from regmirror.ports.cluster import Cluster, Right, missing_rights, rights_on_secrets

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
_WRITTEN_WITH_POLICIES = ("networking.k8s.io", "networkpolicies")
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
    """Without these, ``deploy`` does not check what they are about: who admits pods, and what pods can use."""
    accounts = named_service_accounts(mirror).values()
    read = [Right("get", "", "serviceaccounts", name) for name in dict.fromkeys(accounts)]
    return [*_ADMISSION, *read, *(() if mirror.storage.access_key else PORT_FORWARD)]


def deploy_rights(mirror: Mirror) -> list[Right]:
    """What ``deploy`` needs; Helm deletes what a chart no longer contains."""
    patched = rights_on_secrets(["patch"], _deployed(mirror))
    written = [Right(verb, group, resource) for group, resource in _written(mirror) for verb in _WRITE]
    return [*HELM_RECORDS, *patched, *written, *_LEASE, *_READ]


def diff_rights(mirror: Mirror) -> list[Right]:
    """What ``diff`` needs; a server-side dry run needs the same permission as the change, as with kubectl.

    Secrets are listed, and so may be read, because Helm stores its releases in them.
    """
    read = rights_on_secrets(["get"], [*_deployed(mirror), *mirror.tls_secrets, *referenced_cluster_secrets(mirror)])
    applied = [Right(verb, group, resource) for group, resource in _written(mirror) for verb in ("get", "patch")]
    return [Right("list", "", "secrets"), *read, *applied, Right("get", "", "namespaces")]


def _deployed(mirror: Mirror) -> list[str]:
    return names.deployed_secrets(upstream.name for upstream in mirror.upstreams)


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
    optional = {
        _WRITTEN_WITH_REPLICAS: mirror.auth.replicas > 1 or mirror.registry.most_replicas > 1,
        _WRITTEN_WITH_POLICIES: mirror.network_policies.enabled,
        _WRITTEN_WITH_ACCOUNTS: any(account and account.create for account in accounts),
        _WRITTEN_WITH_AUTOSCALING: mirror.registry.autoscaling is not None,
    }
    return [*_WRITTEN, *(kind for kind, is_written in optional.items() if is_written)]
