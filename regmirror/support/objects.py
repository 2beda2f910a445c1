"""The objects of a namespace without their secrets."""

import base64

from regmirror.desired import names
from regmirror.desired.secret_contents import look_up
from regmirror.ports.cluster import (
    CRON_JOB,
    DEPLOYMENT,
    EVENT,
    HTTP_ROUTE,
    INGRESS,
    LEASE,
    LISTENER_SET,
    POD,
    POD_MONITOR,
    PROMETHEUS_RULE,
    SECRET,
    Kind,
    Object,
)
from regmirror.support.marked_values import without_marked_values

KINDS = (
    DEPLOYMENT,
    Kind("apps/v1", "ReplicaSet"),
    CRON_JOB,
    Kind("batch/v1", "Job"),
    POD,
    Kind("v1", "Service"),
    Kind("v1", "ConfigMap"),
    INGRESS,
    HTTP_ROUTE,
    LISTENER_SET,
    Kind("networking.k8s.io/v1", "NetworkPolicy"),
    Kind("policy/v1", "PodDisruptionBudget"),
    Kind("cert-manager.io/v1", "Certificate"),
    POD_MONITOR,
    PROMETHEUS_RULE,
    LEASE,
    Kind("v1", "ResourceQuota"),
    Kind("v1", "LimitRange"),
    EVENT,
)
_LIMITS = {"ResourceQuota", "LimitRange", "NetworkPolicy"}
"""Kinds whose objects concern the mirror no matter who created them."""
_PART_OF = "app.kubernetes.io/part-of"
_INSTANCE = "app.kubernetes.io/instance"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def redact_object(resource: Object, kind: Kind) -> Object:
    """An object without managed fields, without kubectl's copy of it, without values that are marked as secret.

    Of an object that is not part of the mirror, only the name is shown; of limits also their content, but no notes.
    """
    if not _is_ours(resource, kind):
        rest = _content(resource) if kind.kind in _LIMITS else {}
        return {**kind_fields(kind), "metadata": {"name": resource["metadata"]["name"]}, **rest}
    metadata = {key: value for key, value in resource["metadata"].items() if key != "managedFields"}
    metadata["annotations"] = {
        key: value for key, value in (metadata.get("annotations") or {}).items() if key != _LAST_APPLIED
    }
    return {**kind_fields(kind), "metadata": without_marked_values(metadata), **_content(resource)}


def secret_summary(secret: Object) -> Object:
    """Name and type of a Secret, and the size of each key in bytes; only the name if it is not part of the mirror."""
    name = secret["metadata"]["name"]
    if not _is_ours(secret, SECRET):
        return {"name": name}
    sizes = {key: len(base64.b64decode(value)) for key, value in (secret.get("data") or {}).items()}
    return {"name": name, "type": secret.get("type", ""), "sizes": sizes}


def kind_fields(kind: Kind) -> dict[str, str]:
    """The fields that items of a list lack."""
    return {"apiVersion": kind.api_version, "kind": kind.kind}


def _content(resource: Object) -> Object:
    return {
        key: without_marked_values(value)
        for key, value in resource.items()
        if key not in {"apiVersion", "kind", "metadata"}
    }


def _is_ours(resource: Object, kind: Kind) -> bool:
    labels = resource["metadata"].get("labels") or {}
    if labels.get(_PART_OF) == "regmirror" or str(labels.get(_INSTANCE, "")).startswith(names.PREFIX):
        return True
    # Everybody may write anything into a ConfigMap; its name does not say what is in it.
    involved = look_up(resource, "involvedObject", "name") if kind == EVENT else resource["metadata"]["name"]
    return kind.kind != "ConfigMap" and str(involved).startswith(names.PREFIX)
