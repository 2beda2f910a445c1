"""The mirror's objects for Git: with a namespace, and without secret values."""

from typing import Any

from regmirror.config.model import Mirror
from regmirror.desired import names
from regmirror.desired.releases import Release, build_releases
from regmirror.desired.secret_templates import SecretTemplate
from regmirror.ports.cluster import Object


def namespace_object(mirror: Mirror) -> Object:
    """The mirror's namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": mirror.namespace}}


def releases_of(mirror: Mirror, templates: list[SecretTemplate], revision: str) -> list[Release]:
    """The releases; their pods carry the versions of the Secrets they mount, and ``revision`` if one is given."""
    versioned = [
        {"metadata": {"name": template.name, "annotations": {names.VERSION_ANNOTATION: template.version}}}
        for template in templates
    ]
    releases = build_releases(mirror, versioned)
    return [_with_revision(release, revision) if revision else release for release in releases]


def _with_revision(release: Release, revision: str) -> Release:
    versions = release.source.versions(release.values)
    return release if versions is None else release.with_versions(f"{versions}:{revision}")


def secret_metadata(mirror: Mirror, template: SecretTemplate) -> dict[str, Any]:
    """The metadata of a Secret, the same as from ``deploy``: verify and rotate-cert find Secrets by it."""
    return {
        "name": template.name,
        "namespace": mirror.namespace,
        "labels": template.labels,
        "annotations": {names.VERSION_ANNOTATION: template.version},
    }


def plain_secret(mirror: Mirror, template: SecretTemplate) -> Object:
    """A Secret without secret values, complete: docker_auth reads its access rules from one."""
    content = {key: "".join(part for part in parts if isinstance(part, str)) for key, parts in template.files.items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": secret_metadata(mirror, template),
        "type": template.type,
        "stringData": content,
    }


def with_namespace(mirror: Mirror, manifest: Object) -> Object:
    """Return the object with the mirror's namespace, which ``helm template`` does not set."""
    metadata = {"name": manifest["metadata"]["name"], "namespace": mirror.namespace} | manifest["metadata"]
    return manifest | {"metadata": metadata}
