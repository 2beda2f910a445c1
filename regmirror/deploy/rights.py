"""The permissions that ``deploy`` and ``diff`` need in the namespace."""

from collections.abc import Iterable

from regmirror.config.find_references import referenced_cluster_secrets
from regmirror.config.model import Mirror
from regmirror.deploy.pod_prerequisites import named_service_accounts
from regmirror.desired import names
from regmirror.desired.job_rights import rights_to_grant, written_with_jobs
from regmirror.desired.rights import issuance_rights
from regmirror.desired.self_signed import self_signed_secrets
from regmirror.desired.written_kinds import HELM_RECORDS, written_kinds
from regmirror.errors import PermissionDeniedError
from regmirror.ports.cluster import Cluster, Right, missing_rights, rights_on_secrets
from regmirror.workloads.proxy_pod import PROXY_RIGHTS

_WRITE = ("get", "list", "create", "patch", "update", "delete")
_LEASE = tuple(Right(verb, "coordination.k8s.io", "leases") for verb in ("get", "create", "update"))
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
    written = _on(written_kinds(mirror), _WRITE)
    jobs = [*_on(written_with_jobs(mirror), _WRITE), *rights_to_grant(mirror)]
    needed = [*HELM_RECORDS, *patched, *written, *issuance_rights(mirror), *_LEASE, *_READ, *_claim(mirror), *jobs]
    return list(dict.fromkeys(needed))


def diff_rights(mirror: Mirror) -> list[Right]:
    """What ``diff`` needs; a server-side dry run needs the same permission as the change, as with kubectl.

    Secrets are listed, and so may be read, because Helm stores its releases in them.
    """
    users = [] if mirror.auth.external else [names.USERS_SECRET]
    others = [*users, *mirror.tls_secrets, *referenced_cluster_secrets(mirror)]
    read = rights_on_secrets(["get"], [*_deployed(mirror), *others])
    applied = _on((*written_kinds(mirror), *written_with_jobs(mirror)), ("get", "patch"))
    needed = [Right("list", "", "secrets"), *read, *applied, Right("get", "", "namespaces"), *_claim(mirror)]
    return list(dict.fromkeys([*needed, *rights_to_grant(mirror)]))


def _on(kinds: Iterable[tuple[str, str]], verbs: Iterable[str]) -> list[Right]:
    return [Right(verb, group, resource) for group, resource in kinds for verb in verbs]


def _claim(mirror: Mirror) -> list[Right]:
    """What reads an existing PersistentVolumeClaim."""
    claim = mirror.storage.filesystem.claim if mirror.storage.filesystem else None
    return [Right("get", "", "persistentvolumeclaims", claim)] if claim else []


def _deployed(mirror: Mirror) -> list[str]:
    deployed = names.deployed_secrets(upstream.name for upstream in mirror.upstreams)
    sign_in = [names.SIGN_IN_SECRET] if mirror.access.sign_in else []
    return [*deployed, *sign_in, *self_signed_secrets(mirror)]


def require_rights(cluster: Cluster, rights: list[Right], command: str) -> None:
    """Raises PermissionDeniedError, which names each missing permission of ``command``, unless the user has all."""
    missing = missing_rights(cluster, rights)
    if missing:
        hint = f"use another --context, or ask an administrator to grant them: regmirror rbac {command}"
        raise PermissionDeniedError(missing, hint=hint)
