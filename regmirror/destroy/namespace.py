"""Whether the namespace goes with the mirror: only if deploy has made it, and nothing of others is in it."""

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
_OF_EVERY_NAMESPACE = {
    ("ConfigMap", "kube-root-ca.crt"),
    ("ConfigMap", "istio-ca-root-cert"),
    ("ConfigMap", "openshift-service-ca.crt"),
    ("ServiceAccount", "default"),
}
_SHOWN = 5
_DELETE = Right("delete", "", "namespaces")


@dataclass(frozen=True, slots=True)
class Fate:
    """Whether the namespace is there and goes; where it stays, ``reason`` says why."""

    name: str
    exists: bool
    reason: str | None = None

    @property
    def goes(self) -> bool:
        """Whether it is deleted."""
        return self.exists and self.reason is None


def fate_of(cluster: Cluster) -> Fate:
    """What becomes of the mirror's namespace. Raises ClusterError."""
    name = cluster.namespace
    found = cluster.get(NAMESPACE, name)
    if found is None:
        return Fate(name, exists=False)
    labels = found["metadata"].get("labels") or {}
    if names.labels("namespace").items() - labels.items():
        return Fate(name, True, "deploy has not made it")
    if not cluster.may(_DELETE):
        return Fate(name, True, f"the user of context {cluster.context} may not delete it")
    try:
        others = [one for kind in _KINDS for one in _of_others(kind, cluster.select(kind))]
    except PermissionDeniedError as error:
        return Fate(name, True, f"nobody knows what else is in it: {error.message}")
    more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
    return Fate(name, True, f"it also holds {', '.join(others[:_SHOWN])}{more}" if others else None)


def _of_others(kind: Kind, found: list[Object]) -> list[str]:
    return [f"{kind.kind} {one['metadata']['name']}" for one in found if not _is_known(kind, one)]


def _is_known(kind: Kind, found: Object) -> bool:
    metadata = found["metadata"]
    labels = metadata.get("labels") or {}
    helm = labels.get("owner") == "helm" and str(labels.get("name", "")).startswith(names.PREFIX)
    ours = labels.get("app.kubernetes.io/part-of") == "regmirror" and metadata["name"].startswith(names.PREFIX)
    return ours or helm or (kind.kind, metadata["name"]) in _OF_EVERY_NAMESPACE
