"""A list of referrers: an image index whose manifests refer to another one (OCI distribution specification 1.1)."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass

from fetcher.messages import Answer, MessageError

INDEX = "application/vnd.oci.image.index.v1+json"
_DIGEST = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9A-Za-z=_-]{32,}")
_BEGIN = f'{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":['.encode()
_OVERHEAD = 512
"""Bytes that a list takes without its content."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Descriptors in JSON, each with its artifact type."""

    descriptors: tuple[tuple[str, bytes], ...] = ()

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return _OVERHEAD + sum(len(descriptor) + 128 for _, descriptor in self.descriptors)

    def answer(self, types: Collection[str]) -> Answer:
        """The answer of the API, with these artifact types only, unless there are none."""
        chosen = [descriptor for kind, descriptor in self.descriptors if not types or kind in types]
        filtered = {"oci-filters-applied": "artifactType"} if types else {}
        return Answer(200, {"content-type": INDEX, **filtered}, _BEGIN + b",".join(chosen) + b"]}")


def parse_listing(body: bytes) -> Listing:
    """The list in an index; raises MessageError if it is none. Descriptors keep all that they say."""
    try:
        manifests = json.loads(body)["manifests"]
        return Listing(tuple(_descriptor(manifest) for manifest in manifests or []))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise MessageError("the upstream sends no valid list of referrers") from error


def _descriptor(manifest: dict[str, object]) -> tuple[str, bytes]:
    digest, kind, size = manifest["digest"], manifest["mediaType"], manifest["size"]
    artifact = manifest.get("artifactType", "")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest) or not isinstance(size, int) or size < 0:
        raise ValueError("not a descriptor")
    if not isinstance(kind, str) or not isinstance(artifact, str):
        raise TypeError("not a descriptor")
    return artifact, json.dumps(manifest, separators=(",", ":")).encode()
