"""HelmReleases for Flux: the charts of the mirror from the Git repository that holds them.

Source: Flux, APIs helm.toolkit.fluxcd.io/v2 and source.toolkit.fluxcd.io/v1.
"""

from typing import Any

from regmirror.config.model import Mirror
from regmirror.desired.releases import Release
from regmirror.ports.cluster import Object
from regmirror.render.repository import Repository

_UNSUBSTITUTED = {"kustomize.toolkit.fluxcd.io/substitute": "disabled"}
"""A Kustomization can be told to replace ${...} in what it applies; nothing here is meant by that."""


def without_substitution(manifest: Object) -> Object:
    """An object in which Flux replaces no variables."""
    metadata = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), **_UNSUBSTITUTED}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def git_source(mirror: Mirror, repository: Repository) -> list[Object]:
    """A GitRepository, where none that exists is to be used."""
    if not repository.url:
        return []
    spec = {"interval": "5m", "url": repository.url, "ref": {"branch": repository.revision or "main"}}
    metadata = {"name": "regmirror", "namespace": mirror.namespace}
    return [{"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository", "metadata": metadata, "spec": spec}]


def helm_release(mirror: Mirror, release: Release, repository: Repository) -> Object:
    """One release."""
    source = {"name": "flux-system", "namespace": "flux-system"}
    if repository.url:
        source = {"name": "regmirror", "namespace": mirror.namespace}
    chart = {
        "chart": f"./{repository.inside(f'charts/{release.component}')}",
        # A chart of this repository changes without a new version of its own, too.
        "reconcileStrategy": "Revision",
        "sourceRef": {"kind": "GitRepository", **source},
    }
    spec: dict[str, Any] = {
        "interval": "10m",
        "releaseName": release.name,
        "chart": {"spec": chart},
        # What is changed in the cluster by hand is put right, as deploy does it.
        "driftDetection": {"mode": "enabled"},
        "install": {"remediation": {"retries": 3}},
        "upgrade": {"remediation": {"retries": 3}},
    }
    if release.needs:
        spec["dependsOn"] = [{"name": name} for name in release.needs]
    return without_substitution(
        {
            "apiVersion": "helm.toolkit.fluxcd.io/v2",
            "kind": "HelmRelease",
            "metadata": {"name": release.name, "namespace": mirror.namespace},
            "spec": spec | {"values": release.values},
        }
    )
