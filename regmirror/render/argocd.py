"""Applications for Argo CD: one for each release, and one that holds them.

Source: Argo CD, API argoproj.io/v1alpha1 and its manual on Helm, sync waves and resource tracking.
"""

from typing import Any

from regmirror.config.model import Mirror
from regmirror.desired.releases import Release
from regmirror.ports.cluster import Object
from regmirror.render.repository import Repository

_NAMESPACE = "argocd"


def in_sync_wave(manifest: Object) -> Object:
    """An object that is there before the pods that need it."""
    metadata = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), "argocd.argoproj.io/sync-wave": "-1"}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def application_of(mirror: Mirror, release: Release, repository: Repository) -> Object:
    """One release.

    It has the release's name: Argo CD before 3.0 writes the Application's name over the label
    app.kubernetes.io/instance, by which the mirror's own objects are found.
    """
    helm = {"releaseName": release.name, "valuesObject": release.values}
    return _application(release.name, mirror.namespace, repository, f"charts/{release.component}", {"helm": helm})


def root_application(repository: Repository) -> Object:
    """The one that is created by hand, and brings the others."""
    return _application("regmirror", _NAMESPACE, repository, "apps", {})


def _application(name: str, namespace: str, repository: Repository, path: str, more: dict[str, Any]) -> Object:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": _NAMESPACE},
        "spec": {
            "project": "default",
            "source": {
                "repoURL": repository.url,
                "targetRevision": repository.revision or "HEAD",
                "path": repository.inside(path),
                **more,
            },
            "destination": {"server": "https://kubernetes.default.svc", "namespace": namespace},
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True},
                "syncOptions": ["ServerSideApply=true"],
            },
        },
    }
