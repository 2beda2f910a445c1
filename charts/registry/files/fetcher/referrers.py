"""Which manifests refer to an image, such as its signatures: asked of the upstream, which the registry does not do."""

import logging
import re
from collections import OrderedDict
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urljoin, urlsplit

from fetcher.flights import Flights
from fetcher.listing import INDEX, Listing, parse_listing
from fetcher.manifests import unavailable
from fetcher.messages import Answer, MessageError
from fetcher.recent import Recent
from fetcher.upstream import Upstream

_LIMIT = 4 * 1024 * 1024
"""Bytes of a list on all its pages, as clients read at most."""
_PAGES = 16
_PATIENCE = 10.0
_PATIENCE_WITH_KNOWN = 3.0
"""Seconds until the last known list is given instead."""
_FRESH = 30.0
"""Seconds until a list is asked for again."""
_FAILED = 5.0
"""Seconds for which a list that could not be got is not asked for again."""
_REMEMBERED = 4096
_KNOWN_LIMIT = 16 * 1024 * 1024
"""Bytes of all lists."""
_WITHOUT_API = {301, 302, 303, 307, 308, 400, 404, 405, 406, 501}
"""Answers of registries that do not have the API; go-containerregistry and ORAS take some of them for that."""
_NEXT = re.compile(r'<([!-=?-~]+)>\s*;\s*rel="?next"?')

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Referrers:
    """The lists of one upstream, by image. Of an upstream without the API, those of the tag schema."""

    upstream: Upstream
    _known: "OrderedDict[str, Listing]" = field(default_factory=OrderedDict)
    _size: int = 0
    _fresh: Recent[bool] = field(default_factory=lambda: Recent(_FRESH, _REMEMBERED))
    _failed: Recent[str] = field(default_factory=lambda: Recent(_FAILED, _REMEMBERED))
    _flights: Flights[None] = field(default_factory=Flights)

    async def ask(self, repository: str, digest: str, query: str) -> Answer:
        """The list, of at most 30 seconds ago, or the last known one while the upstream fails.

        A list that is not known is never given as an empty one: a client would take an image for not signed.
        """
        key = f"{repository}@{digest}"
        if not (key in self._known and self._fresh.get(key)) and not self._failed.get(key):
            await self._flights.join(key, lambda: self._update(key, repository, digest))
        if known := self._known.get(key):
            return known.answer(_artifact_types(query))
        return unavailable(self._failed.get(key) or "the list of referrers is not known")

    async def _update(self, key: str, repository: str, digest: str) -> None:
        patience = _PATIENCE_WITH_KNOWN if key in self._known else _PATIENCE
        try:
            listing = await self._listing_of_api(repository, digest, patience)
            if listing is None:
                listing = await self._listing_of_tag(repository, digest, patience)
        except MessageError as error:
            _log.warning("referrers of %s: %s", key, error)
            self._failed.put(key, str(error))
        else:
            self._remember(key, listing)
            self._fresh.put(key, True)

    async def _listing_of_api(self, repository: str, digest: str, patience: float) -> Listing | None:
        """The whole list; None if the upstream does not have the API."""
        path, left = f"/v2/{repository}/referrers/{digest}", _LIMIT
        descriptors: tuple[tuple[str, bytes], ...] = ()
        for _ in range(_PAGES):
            answer = await self.upstream.get(path, repository, INDEX, left, patience)
            if answer.status == 404 and b'"NAME_UNKNOWN"' in answer.body:
                raise MessageError("the upstream does not know the repository")
            if answer.status in _WITHOUT_API or (answer.status == 200 and not _is_index(answer)):
                return None
            if answer.status != 200:
                raise MessageError(f"the upstream answers {answer.status}")
            descriptors += parse_listing(answer.body).descriptors
            left -= len(answer.body)
            path = self._next_page(path, answer)
            if not path:
                return Listing(descriptors)
        raise MessageError(f"the list has more than {_PAGES} pages")

    def _next_page(self, path: str, answer: Answer) -> str:
        """The path of the next page (RFC 8288), empty after the last one; raises MessageError if it is elsewhere."""
        if not (found := _NEXT.search(answer.headers.get("link", ""))):
            return ""
        base, target = urlsplit(self.upstream.url), urlsplit(urljoin(urljoin(self.upstream.url, path), found[1]))
        if (base.scheme, base.netloc) != (target.scheme, target.netloc):
            raise MessageError("the upstream names a next page on another server")
        return f"{target.path}?{target.query}"

    async def _listing_of_tag(self, repository: str, digest: str, patience: float) -> Listing:
        """The list under the tag that clients write for registries without the API ("Referrers Tag Schema").

        Not through the registry: it also says that a tag does not exist if the upstream refuses to answer.
        """
        algorithm, _, encoded = digest.partition(":")
        path = f"/v2/{repository}/manifests/{algorithm[:32]}-{encoded[:64]}"
        answer = await self.upstream.get(path, repository, INDEX, _LIMIT, patience)
        if answer.status == 404:
            return Listing()
        if answer.status != 200:
            raise MessageError(f"the upstream answers {answer.status}")
        return parse_listing(answer.body)

    def _remember(self, key: str, listing: Listing) -> None:
        if former := self._known.pop(key, None):
            self._size -= former.size
        self._known[key] = listing
        self._size += listing.size
        while self._size > _KNOWN_LIMIT and len(self._known) > 1:
            self._size -= self._known.popitem(last=False)[1].size


def _is_index(answer: Answer) -> bool:
    return answer.headers.get("content-type", "").partition(";")[0].strip().lower() == INDEX


def _artifact_types(query: str) -> frozenset[str]:
    """The values of ``artifactType``; of several, a referrer has one."""
    return frozenset(value for name, value in parse_qsl(query) if name == "artifactType")
