"""Finds the references to secrets in the configuration."""

from collections.abc import Iterator

from pydantic import BaseModel

from regmirror.config.key_paths import KeyPath
from regmirror.config.secret_references import ClusterReference, EnvironmentReference, FileReference, SecretReference

_CLOUD_PREFIXES = ("AWS_", "GOOGLE_", "AZURE_")


def find_references(section: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, SecretReference]]:
    """Every reference in a section of the configuration, with its path."""
    if isinstance(section, EnvironmentReference | FileReference | ClusterReference):
        yield path, section
    elif isinstance(section, BaseModel):
        for name, field in type(section).model_fields.items():
            yield from find_references(getattr(section, name), (*path, str(field.alias)))
    elif isinstance(section, list):
        for index, inner in enumerate(section):
            yield from find_references(inner, (*path, index))


def referenced_cluster_secrets(section: object) -> list[str]:
    """The names of the Kubernetes Secrets that a section of the configuration refers to."""
    return [
        reference.secret.name for _, reference in find_references(section) if isinstance(reference, ClusterReference)
    ]


def secret_variables(section: object) -> frozenset[str]:
    """The environment variables that a section of the configuration names for secrets, for programs that need none.

    Those of cloud providers are left out: the credential plugins of kubeconfigs (aws eks get-token,
    gke-gcloud-auth-plugin, kubelogin) read them, and may need the very account whose key the file names for the bucket.
    """
    variables = (
        reference.env for _, reference in find_references(section) if isinstance(reference, EnvironmentReference)
    )
    return frozenset(variable for variable in variables if not variable.startswith(_CLOUD_PREFIXES))
