"""Finds the references to secrets and to CA bundles in the configuration."""

from collections.abc import Iterator
from typing import TypeVar

from pydantic import BaseModel

from regmirror.config.ca_bundle import CaBundle, CaBundleConfigMap, CaBundleFile, CaBundleSecret
from regmirror.config.key_paths import KeyPath
from regmirror.config.secret_references import ClusterReference, EnvironmentReference, FileReference, SecretReference

Reference = TypeVar("Reference", bound=BaseModel)
_CLOUD_PREFIXES = ("AWS_", "GOOGLE_", "AZURE_")


def find_references(section: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, SecretReference]]:
    """Every reference to a secret in a section of the configuration, with its path."""
    return _find(section, (EnvironmentReference, FileReference, ClusterReference), path)


def find_ca_bundles(section: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, CaBundle]]:
    """Every reference to a CA bundle in a section of the configuration, with its path."""
    return _find(section, (CaBundleFile, CaBundleConfigMap, CaBundleSecret), path)


def _find(section: object, kinds: tuple[type[Reference], ...], path: KeyPath) -> Iterator[tuple[KeyPath, Reference]]:
    if isinstance(section, kinds):
        yield path, section
    elif isinstance(section, BaseModel):
        for name, field in type(section).model_fields.items():
            yield from _find(getattr(section, name), kinds, (*path, str(field.alias)))
    elif isinstance(section, list):
        for index, inner in enumerate(section):
            yield from _find(inner, kinds, (*path, index))


def referenced_cluster_secrets(section: object) -> list[str]:
    """The names of the Kubernetes Secrets that a section of the configuration refers to."""
    secrets = [found.secret.name for _, found in find_references(section) if isinstance(found, ClusterReference)]
    return secrets + [found.secret.name for _, found in find_ca_bundles(section) if isinstance(found, CaBundleSecret)]


def referenced_config_maps(section: object) -> list[str]:
    """The names of the ConfigMaps that a section of the configuration refers to."""
    return [found.config_map.name for _, found in find_ca_bundles(section) if isinstance(found, CaBundleConfigMap)]


def secret_variables(section: object) -> frozenset[str]:
    """The environment variables that a section of the configuration names for secrets, for programs that need none.

    Those of cloud providers are left out: the credential plugins of kubeconfigs (aws eks get-token,
    gke-gcloud-auth-plugin, kubelogin) read them, and may need the very account whose key the file names for the bucket.
    """
    variables = (
        reference.env for _, reference in find_references(section) if isinstance(reference, EnvironmentReference)
    )
    return frozenset(variable for variable in variables if not variable.startswith(_CLOUD_PREFIXES))
