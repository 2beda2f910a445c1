"""Refuses to change a mirror that something else than deploy applied: kubectl, Flux or Argo CD."""

from collections.abc import Collection, Iterable

from regmirror.config.model import Mirror
from regmirror.desired import names
from regmirror.desired.applied_by import HELM_RELEASE, applied_by_others, is_controller
from regmirror.errors import ManagedByGitOpsError
from regmirror.errors.documentation import guide_url
from regmirror.ports.cluster import (
    CONFIG_MAP,
    DEPLOYMENT,
    HTTP_ROUTE,
    INGRESS,
    LISTENER_SET,
    SERVICE,
    Cluster,
    Kind,
    Object,
)

_PART_OF = "app.kubernetes.io/part-of=regmirror"
_KINDS = (DEPLOYMENT, SERVICE, CONFIG_MAP, INGRESS)


def ensure_owned(cluster: Cluster, mirror: Mirror, command: str) -> None:
    """Raises ManagedByGitOpsError if deploy did not apply a Deployment or Service of the mirror.

    ``command`` is ``deploy`` or ``rotate-cert``. Needs only to get objects, not to list them.
    """
    wanted = [names.AUTH, names.REDIS, *(names.registry(upstream.name) for upstream in mirror.upstreams)]
    if mirror.ingress.service:
        wanted.append(names.INGRESS)
    for kind in (DEPLOYMENT, SERVICE):
        for live in filter(None, (cluster.get(kind, name) for name in wanted)):
            if applied_by := applied_by_others(live["metadata"]):
                raise _error(
                    live, applied_by, f"change it in Git instead; {command} with GitOps: {guide_url('gitops')}"
                )


def ensure_removable(cluster: Cluster, mirror: Mirror, releases: Collection[str]) -> None:
    """Raises ManagedByGitOpsError if the namespace has an object of the mirror that none of the releases owns."""
    for kind in (*_KINDS, *_route_kinds(mirror)):
        for live in _remaining(cluster.select(kind, _PART_OF)):
            if applied_by := applied_by_others(live["metadata"]):
                raise _error(live, applied_by, _removal(cluster, applied_by))
            if live["metadata"]["annotations"][HELM_RELEASE] not in releases:
                raise _error(live, "kubectl, or its Helm release was deleted", _removal(cluster, ""))


def _route_kinds(mirror: Mirror) -> list[Kind]:
    gateway = mirror.ingress.gateway
    return [HTTP_ROUTE, *([LISTENER_SET] if gateway.listener_set else [])] if gateway else []


def _remaining(objects: Iterable[Object]) -> Iterable[Object]:
    """Those that are not being deleted: a finalizer may delay that for longer than Helm knows the release.

    What another object owns, such as the result of a verification, disappears with its owner.
    """
    gone = ("deletionTimestamp", "ownerReferences")
    return (live for live in objects if not any(live["metadata"].get(key) for key in gone))


def _removal(cluster: Cluster, applied_by: str) -> str:
    guide = guide_url("remove-a-mirror")
    if is_controller(applied_by):
        return f"delete its files from the repository of {applied_by}, and let it prune; see {guide}"
    kubectl = f"kubectl --context {cluster.context} -n {cluster.namespace}"
    return f"regmirror render | {kubectl} delete -f - (with a GitOps controller, delete the files in Git); see {guide}"


def _error(live: Object, applied_by: str, hint: str) -> ManagedByGitOpsError:
    return ManagedByGitOpsError(
        f"this mirror is managed with GitOps: {live['kind']} {live['metadata']['name']} was applied by {applied_by}, "
        "not by regmirror deploy",
        hint=hint,
    )
