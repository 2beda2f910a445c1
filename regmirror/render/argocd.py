"""Applications for Argo CD: one for each release, and one that contains them (app of apps).

Source: Argo CD, API argoproj.io/v1alpha1 and its documentation of Helm, sync waves and resource tracking.
"""

from typing import Any

from regmirror.config.kubernetes_fields import ObjectName
from regmirror.config.model import Mirror
from regmirror.config.validation_messages import value_problem
from regmirror.desired.releases import Release
from regmirror.errors import ConfigurationError
from regmirror.ports.cluster import Object
from regmirror.render.repository import Repository

_NAMESPACE = "argocd"
DEFAULT_PROJECT = "default"
"""Argo CD's own, which allows every kind of object in every namespace unless it was restricted."""


def parse_project(name: str) -> str:
    """Validate --argocd-project; raises ConfigurationError."""
    if problem := value_problem(ObjectName, name):
        raise ConfigurationError(
            f"--argocd-project: {problem}", hint="use the name of an AppProject: kubectl -n argocd get appprojects"
        )
    return name


def in_sync_wave(manifest: Object) -> Object:
    """Return the object in an earlier sync wave than the pods that need it."""
    metadata = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), "argocd.argoproj.io/sync-wave": "-1"}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def application_of(mirror: Mirror, release: Release, repository: Repository, project: str) -> Object:
    """The Application of one release.

    Its name is the release's: Argo CD before 3.0 overwrites the label app.kubernetes.io/instance with the
    Application's name, and verify finds the mirror's objects by that label.
    """
    helm = {"releaseName": release.name, "valuesObject": release.values}
    source = _source(repository, f"charts/{release.component}") | {"helm": helm}
    return _application(release.name, mirror.namespace, project, source)


def root_application(repository: Repository, project: str) -> Object:
    """The Application that the user creates; it creates the others."""
    return _application("regmirror", _NAMESPACE, project, _source(repository, "apps"))


def _source(repository: Repository, path: str) -> dict[str, Any]:
    return {
        "repoURL": repository.url,
        "targetRevision": repository.revision or "HEAD",
        "path": repository.inside(path),
    }


def _application(name: str, namespace: str, project: str, source: dict[str, Any]) -> Object:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": _NAMESPACE},
        "spec": {
            "project": project,
            "source": source,
            "destination": {"server": "https://kubernetes.default.svc", "namespace": namespace},
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True},
                "syncOptions": ["ServerSideApply=true"],
            },
        },
    }
