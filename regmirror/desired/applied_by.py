"""Who applied the objects of a mirror: deploy with Helm, or something else."""

from collections.abc import Mapping
from typing import Any

HELM_RELEASE = "meta.helm.sh/release-name"
"""The annotation that Helm sets on every object of a release; Flux installs releases as well."""
_CONTROLLERS = {"toolkit.fluxcd.io/": "Flux", "argocd.argoproj.io/": "Argo CD"}
_NO_CONTROLLER = "kubectl or a GitOps controller"


def applied_by_others(metadata: Mapping[str, Any]) -> str | None:
    """What applied an object with this metadata; None if deploy did."""
    marks = {**(metadata.get("labels") or {}), **(metadata.get("annotations") or {})}
    for part, controller in _CONTROLLERS.items():
        if any(part in mark for mark in marks):
            return controller
    return None if HELM_RELEASE in marks else _NO_CONTROLLER


def is_controller(applied_by: str) -> bool:
    """Whether a known GitOps controller applied an object, which restores what is changed or removed."""
    return applied_by != _NO_CONTROLLER
