"""The objects of a mirror as they belong into Git: named, with_namespace, and without a secret value."""

from typing import Any

from regmirror.config.model import Mirror
from regmirror.desired import names
from regmirror.desired.releases import Release, build_releases
from regmirror.desired.secret_templates import SecretTemplate
from regmirror.ports.cluster import Object


def namespace_object(mirror: Mirror) -> Object:
    """The mirror's namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": mirror.namespace}}


def releases_of(mirror: Mirror, forms: list[SecretTemplate], revision: str) -> list[Release]:
    """The releases whose pods carry the versions of the forms, and ``revision`` where one is given."""
    versioned = [
        {"metadata": {"name": form.name, "annotations": {names.VERSION_ANNOTATION: form.version}}} for form in forms
    ]
    releases = build_releases(mirror, versioned)
    for release in releases:
        if revision and "secretVersions" in release.values:
            release.values["secretVersions"] += f":{revision}"
    return releases


def secret_metadata(mirror: Mirror, form: SecretTemplate) -> dict[str, Any]:
    """Name, place and marks of a Secret: those that ``deploy`` gives it, so that verify and rotate-cert know it."""
    return {
        "name": form.name,
        "namespace": mirror.namespace,
        "labels": form.labels,
        "annotations": {names.VERSION_ANNOTATION: form.version},
    }


def plain_secret(mirror: Mirror, form: SecretTemplate) -> Object:
    """A Secret in which nothing is secret, whole: docker_auth reads its access rules from one."""
    content = {key: "".join(part for part in parts if isinstance(part, str)) for key, parts in form.files.items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": secret_metadata(mirror, form),
        "type": form.type,
        "stringData": content,
    }


def with_namespace(mirror: Mirror, manifest: Object) -> Object:
    """A rendered object in its namespace: Helm leaves that to whoever applies it."""
    metadata = {"name": manifest["metadata"]["name"], "namespace": mirror.namespace} | manifest["metadata"]
    return manifest | {"metadata": metadata}
