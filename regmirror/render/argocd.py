"""Applications for Argo CD: one for each release, and one that contains them (app of apps).

Source: Argo CD, API argoproj.io/v1alpha1 and its documentation of Helm, sync waves and resource tracking.
"""

from typing import Any

from regmirror.config.model import Mirror
from regmirror.desired.releases import Release
from regmirror.ports.cluster import Object
from regmirror.render.repository import Repository

_NAMESPACE = "argocd"


def in_sync_wave(manifest: Object) -> Object:
    """Return the object in an earlier sync wave than the pods that need it."""
    metadata = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), "argocd.argoproj.io/sync-wave": "-1"}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def application_of(mirror: Mirror, release: Release, repository: Repository) -> Object:
    """The Application of one release.

    Its name is the release's: Argo CD before 3.0 overwrites the label app.kubernetes.io/instance with the
    Application's name, and verify finds the mirror's objects by that label.
    """
    helm = {"releaseName": release.name, "valuesObject": release.values}
    return _application(release.name, mirror.namespace, repository, f"charts/{release.component}", {"helm": helm})


def root_application(repository: Repository) -> Object:
    """The Application that the user creates; it creates the others."""
    return _application("regmirror", _NAMESPACE, repository, "apps", {})


def _application(name: str, namespace: str, repository: Repository, path: str, source: dict[str, Any]) -> Object:
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
                **source,
            },
            "destination": {"server": "https://kubernetes.default.svc", "namespace": namespace},
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True},
                "syncOptions": ["ServerSideApply=true"],
            },
        },
    }
