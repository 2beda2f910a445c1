"""Whether the volume for the logins of people exists or can be created, as far as the cluster can say before."""

from regmirror.desired import names
from regmirror.errors import VolumeError
from regmirror.ports.cluster import VOLUME_CLAIM, Cluster
from regmirror.workloads.volume import require_class

_KEY = "access.signIn.volume"


def check_login_volume(storage_class: str | None, cluster: Cluster) -> str:
    """The volume in a few words; raises VolumeError if it cannot be created, or has another StorageClass."""
    live = cluster.get(VOLUME_CLAIM, names.SIGN_IN)
    if live is None:
        require_class(storage_class, _KEY, cluster)
        return storage_class or "default StorageClass"
    has = str(live["spec"].get("storageClassName") or "")
    if storage_class not in {None, has}:
        raise VolumeError(
            f"PersistentVolumeClaim {names.SIGN_IN} cannot be changed: it has storageClass {has}",
            hint=f"restore {_KEY}; or remove the database, and with it all logins: helm -n {cluster.namespace} "
            f"uninstall {names.SIGN_IN}",
        )
    return f"PersistentVolumeClaim {names.SIGN_IN}"
