"""The objects of a namespace without their secrets."""

import base64
import re
from typing import Any

from regmirror.ports.cluster import DEPLOYMENT, EVENT, INGRESS, LEASE, POD, Kind, Object

KINDS = (
    DEPLOYMENT,
    Kind("apps/v1", "ReplicaSet"),
    POD,
    Kind("v1", "Service"),
    Kind("v1", "ConfigMap"),
    INGRESS,
    Kind("gateway.networking.k8s.io/v1", "HTTPRoute"),
    Kind("networking.k8s.io/v1", "NetworkPolicy"),
    Kind("policy/v1", "PodDisruptionBudget"),
    Kind("cert-manager.io/v1", "Certificate"),
    LEASE,
    Kind("v1", "ResourceQuota"),
    Kind("v1", "LimitRange"),
    EVENT,
)
_PART_OF = "app.kubernetes.io/part-of"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_SECRET_NAME = re.compile(r"pass|secret|token|credential|key", re.IGNORECASE)


def redact_object(resource: Object, kind: Kind) -> Object:
    """An object without managed fields, without kubectl's copy of it, without values of variables with secret names.

    Of a ConfigMap that is not part of the mirror, only the keys are shown: its values may be secret.
    """
    metadata = {key: value for key, value in resource["metadata"].items() if key != "managedFields"}
    metadata["annotations"] = {
        key: value for key, value in (metadata.get("annotations") or {}).items() if key != _LAST_APPLIED
    }
    rest = {key: value for key, value in resource.items() if key not in {"apiVersion", "kind", "metadata"}}
    if kind.kind == "ConfigMap" and (metadata.get("labels") or {}).get(_PART_OF) != "regmirror":
        rest = {"keys": sorted([*(resource.get("data") or {}), *(resource.get("binaryData") or {})])}
    return {**kind_fields(kind), "metadata": metadata, **_without_values(rest)}


def secret_summary(secret: Object) -> Object:
    """The name and type of a Secret, and the size of each key in bytes."""
    sizes = {key: len(base64.b64decode(value)) for key, value in (secret.get("data") or {}).items()}
    return {"name": secret["metadata"]["name"], "type": secret.get("type", ""), "sizes": sizes}


def kind_fields(kind: Kind) -> dict[str, str]:
    """The fields that items of a list lack."""
    return {"apiVersion": kind.api_version, "kind": kind.kind}


def _without_values(part: Any) -> Any:
    """The same without the values of variables whose names mark them as secret."""
    if isinstance(part, list):
        return [_without_values(item) for item in part]
    if not isinstance(part, dict):
        return part
    if isinstance(part.get("value"), str) and _SECRET_NAME.search(str(part.get("name", ""))):
        return {**part, "value": "***"}
    return {key: _without_values(value) for key, value in part.items()}
