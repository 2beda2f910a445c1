"""The values that the pods of every chart take."""

from typing import Any

from regmirror.config.model import Mirror
from regmirror.config.pod_settings import PodSettings, ServiceAccount


def pod_values(mirror: Mirror, settings: PodSettings) -> dict[str, Any]:
    """The variables of the template pods.yaml.j2."""
    account = settings.service_account or ServiceAccount.model_construct()
    return {
        "image_pull_secrets": settings.image_pull_secrets,
        "node_selector": settings.node_selector,
        "tolerations": settings.tolerations,
        "affinity": settings.affinity,
        "spread_constraints": settings.topology_spread_constraints,
        "priority_class": settings.priority_class_name or "",
        "pod_annotations": settings.pod_annotations,
        "pod_labels": settings.pod_labels,
        "pod_security": mirror.pod_security or "fixed",
        "service_account": {
            "create": account.create,
            "name": account.name or "",
            "annotations": account.annotations,
        },
    }
