"""The IngressClass of a mirror in the cluster, and what to check about its controller."""

from regmirror.config.model import Mirror
from regmirror.desired.ingress_controllers import WITHOUT_INGRESS_CLASS, class_advice, controller_warning
from regmirror.ports.cluster import INGRESS_CLASS, Cluster, Object

_DEFAULT = "ingressclass.kubernetes.io/is-default-class"


def find_class(wanted: str | None, classes: list[Object]) -> Object | None:
    """The class of this name, or the default class if no name is wanted; None if there is none."""
    return next((found for found in classes if _is_meant(wanted, found["metadata"])), None)


def controller_warnings(mirror: Mirror, cluster: Cluster) -> list[str]:
    """What to check about the Ingress controller: at most one sentence. Raises PermissionDeniedError."""
    wanted = mirror.ingress.class_name
    if mirror.ingress.gateway:
        return []
    if wanted in WITHOUT_INGRESS_CLASS:
        return class_advice(wanted)
    found = find_class(wanted, cluster.select(INGRESS_CLASS))
    if found is None:
        return []
    warning = controller_warning(
        found["metadata"]["name"], wanted, str((found.get("spec") or {}).get("controller", ""))
    )
    return [warning] if warning else []


def _is_meant(wanted: str | None, metadata: Object) -> bool:
    if wanted is not None:
        return bool(metadata["name"] == wanted)
    return (metadata.get("annotations") or {}).get(_DEFAULT) == "true"
