"""What ``deploy`` and ``diff`` need to be allowed in the namespace."""

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
_READ = (
    # The mirror's own: a Role can give this right within the namespace.
    Right("get", "", "namespaces"),
    Right("list", "", "pods"),
    Right("get", "", "pods/log"),
    Right("list", "", "events"),
)


def deploy_rights(mirror: Mirror) -> list[Right]:
    """What ``deploy`` does in the namespace; Helm keeps its releases in Secrets, and deletes what a chart drops."""
    return [*(Right(verb, group, resource) for group, resource in _written(mirror) for verb in _WRITE), *_READ]


def _written(mirror: Mirror) -> list[tuple[str, str]]:
    several = mirror.auth.replicas > 1 or mirror.registry.replicas > 1
    return [*_WRITTEN, _WRITTEN_WITH_REPLICAS] if several else [*_WRITTEN]


def diff_rights(mirror: Mirror) -> list[Right]:
    """What ``diff`` asks of the namespace; a dry run needs the right to do it in earnest, as with kubectl."""
    written = [found for found in _written(mirror) if found != _SECRETS]
    applied = [Right(verb, group, resource) for group, resource in written for verb in ("get", "patch")]
    return [Right("get", *_SECRETS), Right("list", *_SECRETS), *applied, Right("get", "", "namespaces")]


def require_rights(cluster: Cluster, rights: list[Right]) -> None:
    """Raises PermissionDeniedError, naming each that is missing, unless the user has all these rights."""
    missing = missing_rights(cluster, rights)
    if missing:
        raise PermissionDeniedError(missing, hint="use another --context, or have these rights granted: regmirror rbac")
