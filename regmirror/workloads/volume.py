"""Whether the volumes for cached blobs and manifests exist or can be created, as far as the cluster can say before."""

from typing import Any

from regmirror.config.filesystem import Filesystem
from regmirror.config.kubernetes_fields import quantity_value
from regmirror.config.model import Mirror
from regmirror.desired import names
from regmirror.desired.applied_by import HELM_RELEASE
from regmirror.desired.secret_contents import look_up
from regmirror.errors import PermissionDeniedError, VolumeError
from regmirror.ports.cluster import PERSISTENT_VOLUME, STORAGE_CLASS, VOLUME_CLAIM, Cluster, Object

_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def check_volumes(mirror: Mirror, filesystem: Filesystem, cluster: Cluster) -> str:
    """The volumes of a mirror in a few words; raises VolumeError if one is missing, unusable, or cannot be created."""
    if filesystem.claim:
        return _check_shared(filesystem, filesystem.claim, cluster)
    for upstream in mirror.upstreams:
        name = names.registry(upstream.name)
        live = cluster.get(VOLUME_CLAIM, name)
        if live is None:
            _check_class(filesystem, cluster)
        else:
            _check_own(filesystem, name, live, cluster)
    number = len(mirror.upstreams)
    return f"{number} volume{'s' * (number > 1)} of {filesystem.size}"


def _check_shared(filesystem: Filesystem, name: str, cluster: Cluster) -> str:
    live = cluster.get(VOLUME_CLAIM, name)
    if live is None:
        raise VolumeError(
            f"namespace {cluster.namespace} has no PersistentVolumeClaim {name}",
            hint="create it, or set storage.filesystem.size instead of claim",
        )
    phase = look_up(live, "status", "phase")
    if live["metadata"].get("deletionTimestamp") or phase == "Lost":
        state = "has lost its volume" if phase == "Lost" else "is being deleted"
        raise VolumeError(f"PersistentVolumeClaim {name} {state}", hint="create another one, and set it as claim")
    modes = live["spec"].get("accessModes") or []
    usable = {filesystem.access_mode, "ReadWriteMany"}
    if not usable & set(modes):
        raise VolumeError(
            f"PersistentVolumeClaim {name} offers {', '.join(modes)}, but the mirror needs {filesystem.access_mode}: "
            "a new pod starts before the old one stops",
            hint="use a PersistentVolumeClaim with this access mode",
        )
    return f"PersistentVolumeClaim {name}"


def _check_class(filesystem: Filesystem, cluster: Cluster) -> None:
    require_class(filesystem.storage_class, "storage.filesystem.storageClass", cluster)


def require_class(storage_class: str | None, key_path: str, cluster: Cluster) -> None:
    """Raises VolumeError, whose hint names ``key_path``, if the cluster lacks a StorageClass, or a default one.

    Without it, or a volume that somebody created for its name, a claim stays pending forever.
    """
    try:
        classes = cluster.select(STORAGE_CLASS)
        volumes = cluster.select(PERSISTENT_VOLUME)
    except PermissionDeniedError:
        return
    by_name = {item["metadata"]["name"]: item for item in classes}
    others = f": {', '.join(sorted(by_name))}" if by_name else "; the cluster has none"
    if storage_class is None:
        if not any(_is_default(item) for item in classes):
            raise VolumeError(
                "the cluster has no default StorageClass", hint=f"set {key_path} to a StorageClass{others}"
            )
        return
    prepared = {volume["spec"].get("storageClassName") for volume in volumes}
    if storage_class not in by_name.keys() | prepared:
        raise VolumeError(
            f"the cluster has no StorageClass {storage_class}", hint=f"set {key_path} to a StorageClass{others}"
        )


def _is_default(storage_class: Object) -> bool:
    return (storage_class["metadata"].get("annotations") or {}).get(_DEFAULT_CLASS) == "true"


def _check_own(filesystem: Filesystem, name: str, live: Object, cluster: Cluster) -> None:
    """Kubernetes refuses all changes of a claim but a larger size, and Helm the claims of others."""
    where = f"PersistentVolumeClaim {name}"
    if HELM_RELEASE not in (live["metadata"].get("annotations") or {}):
        raise VolumeError(
            f"{where} exists, but this mirror did not create it", hint=f"set storage.filesystem.claim: {name} to use it"
        )
    differences = _immutable_differences(filesystem, live["spec"])
    if differences:
        raise VolumeError(
            f"{where} cannot be changed: it has {differences}",
            hint="restore this value in storage.filesystem; or remove the registry and its claim, whose data is lost: "
            f"helm -n {cluster.namespace} uninstall {name}; kubectl -n {cluster.namespace} delete pvc {name}",
        )


def _immutable_differences(filesystem: Filesystem, spec: dict[str, Any]) -> str:
    """What a claim has that the configuration wants otherwise; empty if it can be applied."""
    has = []
    if filesystem.storage_class not in {None, spec.get("storageClassName")}:
        has.append(f"storageClass {spec.get('storageClassName')}")
    if filesystem.access_mode not in (spec.get("accessModes") or []):
        has.append(f"accessMode {', '.join(spec.get('accessModes') or [])}")
    size = look_up(spec, "resources", "requests", "storage")
    if size is not None and filesystem.size is not None and quantity_value(filesystem.size) < quantity_value(size):
        has.append(f"size {size}, and volumes do not shrink")
    return ", ".join(has)
