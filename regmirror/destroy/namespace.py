"""Whether the namespace is removed with the mirror: only if deploy created it and it contains nothing else."""

from dataclasses import dataclass

from regmirror.desired import names
from regmirror.errors import PermissionDeniedError
from regmirror.ports.cluster import DEPLOYMENT, INGRESS, NAMESPACE, POD, SECRET, Cluster, Kind, Object, Right

VOLUME_CLAIM = Kind("v1", "PersistentVolumeClaim")
_KINDS = (
    DEPLOYMENT,
    Kind("apps/v1", "StatefulSet"),
    Kind("apps/v1", "DaemonSet"),
    Kind("batch/v1", "Job"),
    Kind("batch/v1", "CronJob"),
    POD,
    Kind("v1", "Service"),
    INGRESS,
    Kind("v1", "ConfigMap"),
    SECRET,
    VOLUME_CLAIM,
    Kind("v1", "ServiceAccount"),
    Kind("rbac.authorization.k8s.io/v1", "Role"),
    Kind("rbac.authorization.k8s.io/v1", "RoleBinding"),
)
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


def decide_namespace(cluster: Cluster) -> NamespaceDecision:
    """Whether the mirror's namespace is removed. Raises ClusterError."""
    name = cluster.namespace
    namespace = cluster.get(NAMESPACE, name)
    if namespace is None:
        return NamespaceDecision(name, exists=False)
    labels = namespace["metadata"].get("labels") or {}
    if names.labels("namespace").items() - labels.items():
        return NamespaceDecision(name, True, _reason_of_foreign_namespace(cluster))
    if not cluster.may(_DELETE):
        return NamespaceDecision(name, True, f"the user of context {cluster.context} is not allowed to delete it")
    return NamespaceDecision(name, True, _contents_of_others(cluster))


def _reason_of_foreign_namespace(cluster: Cluster) -> str:
    """Why a namespace is kept that deploy did not create, and how to remove it if it contains nothing else."""
    reason = "deploy did not create it"
    if contents := _contents_of_others(cluster):
        return f"{reason}, and {contents}"
    return f"{reason}; to remove it: kubectl --context {cluster.context} delete namespace {cluster.namespace}"


def _contents_of_others(cluster: Cluster) -> str | None:
    """What the namespace contains that is not part of the mirror; None if nothing."""
    try:
        others = [name for kind in _KINDS for name in _of_others(kind, cluster.select(kind))]
    except PermissionDeniedError as error:
        return f"its other contents are unknown: {error.message}"
    more = f" and {len(others) - _MOST_NAMES} more" if len(others) > _MOST_NAMES else ""
    return f"it also contains {', '.join(others[:_MOST_NAMES])}{more}" if others else None


def _of_others(kind: Kind, objects: list[Object]) -> list[str]:
    return [f"{kind.kind} {resource['metadata']['name']}" for resource in objects if not _is_known(kind, resource)]


def _is_known(kind: Kind, resource: Object) -> bool:
    metadata = resource["metadata"]
    labels = metadata.get("labels") or {}
    helm = labels.get("owner") == "helm" and str(labels.get("name", "")).startswith(names.PREFIX)
    mirror = labels.get("app.kubernetes.io/part-of") == "regmirror" and metadata["name"].startswith(names.PREFIX)
    return mirror or helm or (kind.kind, metadata["name"]) in _DEFAULT_OBJECTS
