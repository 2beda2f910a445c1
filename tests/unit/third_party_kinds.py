"""The fields of third-party kinds that the rendered files use, as documented by their projects.

Sources: Flux, API references of helm.toolkit.fluxcd.io/v2 and source.toolkit.fluxcd.io/v1; Argo CD, the Application's
specification (argoproj.io/v1alpha1); External Secrets Operator, API reference of external-secrets.io/v1; kustomize.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

DURATION = re.compile(r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$")
NAME = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
SECRET_KEY = re.compile(r"^[-._a-zA-Z0-9]+$")
RELATIVE = re.compile(r"^[^/].*$")
ANY: dict[str, Any] = {}

Shape = Any
"""A type, a pattern, a set of known values, a list with one shape for its entries, or a mapping of keys to
shapes; a key that ends in ? is optional, and an empty mapping accepts anything."""

METADATA: Shape = {"name": NAME, "namespace?": NAME, "labels?": ANY, "annotations?": ANY}

KINDS: dict[tuple[str, str], Shape] = {
    ("helm.toolkit.fluxcd.io/v2", "HelmRelease"): {
        "interval": DURATION,
        "releaseName?": re.compile(r"^.{1,53}$"),
        "chart": {
            "spec": {
                "chart": str,
                "reconcileStrategy?": {"ChartVersion", "Revision"},
                "sourceRef": {
                    "kind": {"GitRepository", "HelmRepository", "Bucket"},
                    "name": NAME,
                    "namespace?": NAME,
                },
            }
        },
        "dependsOn?": [{"name": NAME, "namespace?": NAME}],
        "driftDetection?": {"mode": {"enabled", "warn", "disabled"}},
        "install?": {"remediation?": {"retries?": int}},
        "upgrade?": {"remediation?": {"retries?": int}},
        "values?": ANY,
    },
    ("source.toolkit.fluxcd.io/v1", "GitRepository"): {
        "interval": DURATION,
        "url": re.compile(r"^(http|https|ssh)://.*$"),
        "ref?": {"branch?": str},
    },
    ("argoproj.io/v1alpha1", "Application"): {
        "project": str,
        "source": {
            "repoURL": str,
            "targetRevision?": str,
            "path?": RELATIVE,
            "helm?": {"releaseName?": str, "valuesObject?": ANY},
        },
        "destination": {"server?": str, "name?": str, "namespace?": NAME},
        "syncPolicy?": {"automated?": {"prune?": bool, "selfHeal?": bool}, "syncOptions?": [str]},
    },
    ("external-secrets.io/v1", "ExternalSecret"): {
        "refreshInterval?": DURATION,
        "secretStoreRef?": {"kind?": {"SecretStore", "ClusterSecretStore"}, "name": NAME},
        "target?": {
            "name?": NAME,
            "template?": {
                "engineVersion?": {"v2"},
                "type?": str,
                "metadata?": {"labels?": ANY, "annotations?": ANY},
                "data?": ANY,
                "templateFrom?": [{"target?": {"Data", "Annotations", "Labels"}, "literal?": str}],
            },
        },
        "data?": [{"secretKey": SECRET_KEY, "remoteRef": {"key": str, "property?": str}}],
    },
}


def faults(manifest: dict[str, Any]) -> list[str]:
    """The fields of an object that the API server would reject."""
    kind = (manifest["apiVersion"], manifest["kind"])
    shape = {"apiVersion": str, "kind": str, "metadata": METADATA, "spec": KINDS[kind]}
    return list(_faults(manifest, shape, manifest["kind"]))


def _faults(value: Any, shape: Shape, path: str) -> Iterator[str]:
    if isinstance(shape, dict):
        yield from _faults_of_mapping(value, shape, path)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield f"{path} is not a list"
            return
        for index, entry in enumerate(value):
            yield from _faults(entry, shape[0], f"{path}[{index}]")
    elif isinstance(shape, set):
        if value not in shape:
            yield f"{path} is {value!r}"
    elif isinstance(shape, re.Pattern):
        if not isinstance(value, str) or not shape.match(value):
            yield f"{path} is {value!r}"
    elif type(value) is not shape:
        yield f"{path} is not a {shape.__name__}"


def _faults_of_mapping(value: Any, shape: dict[str, Shape], path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path} is not a mapping"
        return
    if not shape:
        return
    known = {key.removesuffix("?"): inner for key, inner in shape.items()}
    yield from (f"{path}.{key} is unknown" for key in value.keys() - known.keys())
    yield from (f"{path}.{key} is missing" for key in shape if not key.endswith("?") and key not in value)
    for key in value.keys() & known.keys():
        yield from _faults(value[key], known[key], f"{path}.{key}")
