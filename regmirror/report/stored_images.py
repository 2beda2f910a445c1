"""What an upstream's part of the bucket holds, by repository, computed from a listing of its keys.

Source of the paths: distribution v3.1.2, ``registry/storage/paths.go``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from regmirror.ports.object_store import StoredObject

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
"""The grammar of distribution's reference package."""
_LONGEST_REPOSITORY = 255
_LINK = re.compile(
    r"(?P<repository>.+)/(?:_layers|_manifests/(?P<revision>revisions)|_manifests/tags/(?P<tag>[^/]+)/index)"
    r"/sha256/(?P<digest>[0-9a-f]{64})/link",
    re.ASCII,
)
_BLOB = re.compile(r"sha256/[0-9a-f]{2}/(?P<digest>[0-9a-f]{64})/data", re.ASCII)


def is_repository(name: str) -> bool:
    """Whether a name is that of a repository: what clients and others write into keys and logs may be anything."""
    return len(name) <= _LONGEST_REPOSITORY and _REPOSITORY.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class Repository:
    """One repository in the cache; sizes in bytes."""

    name: str
    tags: int
    manifests: int
    size: int
    """Everything that an image of it needs."""
    share: int
    """The same, where a layer that several repositories have counts in equal parts for each of them."""
    updated: datetime
    """When content was added last."""


@dataclass(frozen=True, slots=True)
class StoredImages:
    """The repositories of an upstream, the largest share first."""

    repositories: list[Repository]
    unused: int = 0
    """Bytes that no repository refers to: garbage, or content of repositories that were not listed."""
    complete: bool = True
    """Whether everything was listed; if not, there is more."""

    @property
    def size(self) -> int:
        """Bytes of all layers and manifests that were listed."""
        return self.unused + sum(repository.share for repository in self.repositories)


@dataclass(slots=True)
class _Links:
    tags: set[str] = field(default_factory=set)
    manifests: int = 0
    digests: set[bytes] = field(default_factory=set)
    updated: datetime | None = None


@dataclass(slots=True)
class Inventory:
    """Collects a listing, object by object; ``images`` is what is known so far."""

    _links: dict[str, _Links] = field(default_factory=dict)
    _sizes: dict[bytes, int] = field(default_factory=dict)

    def add_links(self, prefix: str, objects: Iterable[StoredObject]) -> None:
        """Add what repositories refer to, from the keys below ``repositories/``; others are ignored."""
        for stored in objects:
            match = _LINK.fullmatch(stored.key.removeprefix(prefix))
            if match and is_repository(match["repository"]):
                links = self._links.setdefault(match["repository"], _Links())
                links.digests.add(bytes.fromhex(match["digest"]))
                links.manifests += match["revision"] is not None
                if match["tag"]:
                    links.tags.add(match["tag"])
                links.updated = max(links.updated or stored.written, stored.written)

    def add_blobs(self, prefix: str, objects: Iterable[StoredObject]) -> None:
        """Add the sizes of layers and manifests, from the keys below ``blobs/``; others are ignored."""
        for stored in objects:
            if match := _BLOB.fullmatch(stored.key.removeprefix(prefix)):
                self._sizes[bytes.fromhex(match["digest"])] = stored.size

    def images(self, *, complete: bool = True) -> StoredImages:
        """What was added, by repository."""
        users: dict[bytes, int] = {}
        for links in self._links.values():
            for digest in links.digests:
                users[digest] = users.get(digest, 0) + 1
        found = [self._repository(name, links, users) for name, links in self._links.items()]
        found.sort(key=lambda repository: (-repository.share, repository.name))
        total = sum(self._sizes.values())
        return StoredImages(found, max(0, total - sum(repository.share for repository in found)), complete)

    def _repository(self, name: str, links: _Links, users: dict[bytes, int]) -> Repository:
        sizes = {digest: self._sizes.get(digest, 0) for digest in links.digests}
        share = sum(size / users[digest] for digest, size in sizes.items())
        assert links.updated is not None  # noqa: S101 - set with the first link
        return Repository(name, len(links.tags), links.manifests, sum(sizes.values()), int(share), links.updated)
