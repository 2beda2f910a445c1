"""HelmReleases for Flux, with the mirror's charts from the same Git repository.

Source: Flux, APIs helm.toolkit.fluxcd.io/v2 and source.toolkit.fluxcd.io/v1.
"""

from typing import Any

from regmirror.config.model import Mirror
from regmirror.desired.releases import Release
from regmirror.ports.cluster import Object
from regmirror.render.repository import Repository

_UNSUBSTITUTED = {"kustomize.toolkit.fluxcd.io/substitute": "disabled"}
"""A Kustomization may substitute ${...} (postBuild); the mirror's own ${...} must stay as they are."""


def without_substitution(manifest: Object) -> Object:
    """Return the object with Flux's variable substitution disabled."""
    metadata = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), **_UNSUBSTITUTED}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def git_source(mirror: Mirror, repository: Repository) -> list[Object]:
    """The GitRepository for ``repository``; none without a URL, when Flux's own is used."""
    if not repository.url:
        return []
    spec = {"interval": "5m", "url": repository.url, "ref": {"branch": repository.revision or "main"}}
    metadata = {"name": "regmirror", "namespace": mirror.namespace}
    return [{"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository", "metadata": metadata, "spec": spec}]


def helm_release(mirror: Mirror, release: Release, repository: Repository) -> Object:
    """The HelmRelease of one release."""
    source = {"name": "flux-system", "namespace": "flux-system"}
    if repository.url:
        source = {"name": "regmirror", "namespace": mirror.namespace}
    chart = {
        "chart": f"./{repository.inside(f'charts/{release.component}')}",
        # The charts change without a new chart version.
        "reconcileStrategy": "Revision",
        "sourceRef": {"kind": "GitRepository", **source},
    }
    spec: dict[str, Any] = {
        "interval": "10m",
        "releaseName": release.name,
        "chart": {"spec": chart},
        # Manual changes in the cluster are reverted, as deploy does.
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
