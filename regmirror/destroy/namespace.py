"""Whether the namespace is removed with the mirror: only if deploy created it and it contains nothing else."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from regmirror.desired import names
from regmirror.destroy.volumes import is_of_mirror
from regmirror.errors import ClusterError, ClusterUnreachableError
from regmirror.ports.cluster import LEASE, NAMESPACE, VOLUME_CLAIM, Cluster, Object, Right

_DEFAULT_OBJECTS = {
    ("ConfigMap", "kube-root-ca.crt"),
    ("ConfigMap", "istio-ca-root-cert"),
    ("ConfigMap", "openshift-service-ca.crt"),
    ("ServiceAccount", "default"),
}
_MOST_NAMES = 5
_DELETE = Right("delete", "", "namespaces")


@dataclass(frozen=True, slots=True)
class NamespaceDecision:
    """Whether the namespace exists and is removed; if it is kept, ``reason`` says why."""

    name: str
    exists: bool
    reason: str | None = None

    @property
    def is_removed(self) -> bool:
        """Whether the namespace is removed."""
        return self.exists and self.reason is None


def decide_namespace(cluster: Cluster, purged: Collection[str] = ()) -> NamespaceDecision:
    """Whether the mirror's namespace is removed. Raises ClusterError.

    The mirror's own volumes keep it, because their data would be lost, except those that are ``purged``.
    """
    name = cluster.namespace
    namespace = cluster.get(NAMESPACE, name)
    if namespace is None:
        return NamespaceDecision(name, exists=False)
    labels = namespace["metadata"].get("labels") or {}
    if names.labels("namespace").items() - labels.items():
        return NamespaceDecision(name, True, _reason_of_foreign_namespace(cluster, purged))
    if not cluster.may(_DELETE):
        return NamespaceDecision(name, True, f"the user of context {cluster.context} is not allowed to delete it")
    return NamespaceDecision(name, True, _contents_of_others(cluster, purged))


def _reason_of_foreign_namespace(cluster: Cluster, purged: Collection[str]) -> str:
    """Why a namespace is kept that deploy did not create, and how to remove it if it contains nothing else."""
    reason = "deploy did not create it"
    if contents := _contents_of_others(cluster, purged):
        return f"{reason}, and {contents}"
    return f"{reason}; to remove it: kubectl --context {cluster.context} delete namespace {cluster.namespace}"


def _contents_of_others(cluster: Cluster, purged: Collection[str]) -> str | None:
    """What the namespace contains that is not part of the mirror, or has its data; None if nothing."""
    try:
        contents = cluster.contents()
    except ClusterUnreachableError:
        raise
    except ClusterError as error:
        return f"its other contents are unknown: {error.message}"
    others = sorted(f"{found['kind']} {found['metadata']['name']}" for found in _of_others(contents, purged))
    more = f" and {len(others) - _MOST_NAMES} more" if len(others) > _MOST_NAMES else ""
    return f"it also contains {', '.join(others[:_MOST_NAMES])}{more}" if others else None


def _of_others(contents: list[Object], purged: Collection[str]) -> list[Object]:
    """The objects that are not removed with the mirror; not those of another one, which is judged itself."""
    present = {found["metadata"].get("uid") for found in contents}
    return [found for found in contents if not _is_known(found, purged) and not _is_derived(found, present)]


def _is_derived(found: Object, present: set[Any]) -> bool:
    """Whether Kubernetes removes the object together with another one of the namespace, or is about to."""
    owners = found["metadata"].get("ownerReferences") or []
    return any(owner.get("uid") in present or str(owner.get("name")).startswith(names.PREFIX) for owner in owners)


def _is_known(found: Object, purged: Collection[str]) -> bool:
    metadata = found["metadata"]
    if found["kind"] == VOLUME_CLAIM.kind and is_of_mirror(found):
        return metadata["name"] in purged
    labels = metadata.get("labels") or {}
    is_named_like_ours = metadata["name"].startswith(names.PREFIX)
    helm = labels.get("owner") == "helm" and str(labels.get("name", "")).startswith(names.PREFIX)
    mirror = labels.get("app.kubernetes.io/part-of") == "regmirror" and is_named_like_ours
    lease = found["kind"] == LEASE.kind and is_named_like_ours
    return mirror or helm or lease or (found["kind"], metadata["name"]) in _DEFAULT_OBJECTS
