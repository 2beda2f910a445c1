"""Which kinds of objects a namespace may contain, from the discovery documents of the API server.

Source: ``k8s.io/api/apidiscovery/v2``, which every API server since Kubernetes 1.30 has.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from regmirror.errors import ClusterError
from regmirror.ports.cluster import EVENT, Kind

ROOTS = ("/api", "/apis")
"""The paths of the two documents: the core group, and all others."""
ACCEPT = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
"""Lists without the contents of the objects; an aggregated API may not know how, and sends the whole objects."""


class Collection(NamedTuple):
    """The objects of one kind in one namespace."""

    kind: Kind
    resource: str

    def path(self, namespace: str) -> str:
        """The path at which they are listed."""
        root = "/apis" if "/" in self.kind.api_version else "/api"
        return f"{root}/{self.kind.api_version}/namespaces/{namespace}/{self.resource}"


def listable_collections(documents: list[dict[str, Any]]) -> list[Collection]:
    """Every collection of a namespace that can be listed, each in its preferred version; without Events.

    Raises ClusterError if the API server does not know what a part of it serves: an aggregated API does not answer.
    """
    collections: dict[tuple[str, str], Collection] = {}
    for group, version, resources in _versions(documents):
        for resource in resources:
            if resource.get("scope") != "Namespaced" or "list" not in resource.get("verbs", []):
                continue
            kind = Kind(f"{group}/{version}" if group else version, resource["responseKind"]["kind"])
            if kind.kind != EVENT.kind:
                # The first version is the preferred one of those that have the resource.
                collections.setdefault((group, resource["resource"]), Collection(kind, resource["resource"]))
    return list(collections.values())


def _versions(documents: list[dict[str, Any]]) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    for document in documents:
        if document.get("kind") != "APIGroupDiscoveryList":
            raise ClusterError("the API server does not list the kinds that it serves")
        for group in document.get("items") or []:
            name = group["metadata"].get("name", "")
            for version in group.get("versions") or []:
                if version.get("freshness", "Current") != "Current":
                    raise ClusterError(f"the API {name}/{version['version']} does not answer")
                yield name, version["version"], version.get("resources") or []
