"""The annotations of the objects that make the mirror public, in the order in which they win."""

from collections.abc import Mapping

from regmirror.config.model import Mirror
from regmirror.desired.ingress_controllers import (
    LEGACY_CLASS_ANNOTATION,
    WITHOUT_INGRESS_CLASS,
    controller_annotations,
)

_EXTERNAL_DNS = ("external-dns.kubernetes.io/", "external-dns.alpha.kubernetes.io/")
"""external-dns reads one of them: since 0.22 the first, before that the second."""


def endpoint_annotations(mirror: Mirror) -> dict[str, str]:
    """The annotations of every Ingress or HTTPRoute: for its controller, then those of the file."""
    return {**_of_controller(mirror), **for_every_external_dns(mirror.ingress.annotations)}


def for_every_external_dns(annotations: Mapping[str, str]) -> dict[str, str]:
    """The annotations with those of external-dns under both of its prefixes, unless both are set already."""
    copies = {
        other + key.removeprefix(prefix): text
        for prefix, other in (_EXTERNAL_DNS, _EXTERNAL_DNS[::-1])
        for key, text in annotations.items()
        if key.startswith(prefix)
    }
    return {**copies, **annotations}


def _of_controller(mirror: Mirror) -> dict[str, str]:
    class_name = mirror.ingress.class_name
    if mirror.ingress.gateway:
        return {}
    legacy = {LEGACY_CLASS_ANNOTATION: class_name} if class_name in WITHOUT_INGRESS_CLASS else {}
    return {**controller_annotations(class_name), **legacy}
