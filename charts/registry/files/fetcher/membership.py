"""Whether a repository has a layer that another one has brought into the cache."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from fetcher.flights import Flights
from fetcher.manifests import unavailable
from fetcher.messages import Answer, MessageError
from fetcher.origin import Origin
from fetcher.recent import Recent
from fetcher.upstream import Upstream

_LIMIT = 64 * 1024
"""Bytes of the registry's error documents."""
_PATIENCE_UPSTREAM = 5.0
_PATIENCE_REGISTRY = 30.0
_CONFIRMED = 24 * 3600.0
"""Seconds for which a layer counts as a part of a repository."""
_REMEMBERED = 32 * 1024

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Membership:
    """Layers that are confirmed to be in a repository, by their path.

    The upstream is asked first, because a HEAD of a layer makes the registry download all of it, unless it has fetched
    the layer for this very repository (distribution 3.1.2, ``registry/proxy/proxyblobstore.go``).
    """

    origin: Origin
    upstream: Upstream | None
    _confirmed: Recent[bool] = field(default_factory=lambda: Recent(_CONFIRMED, _REMEMBERED))
    _flights: Flights[Answer | None] = field(default_factory=Flights)

    def confirm(self, path: str) -> None:
        """The registry has served a layer under this path."""
        self._confirmed.put(path, True)

    async def refusal(self, path: str, client: Mapping[str, str]) -> Answer | None:
        """None if the layer is in the repository of its path; otherwise the answer to the client."""
        if self._confirmed.get(path):
            return None
        return await self._flights.join(path, lambda: self._ask(path, client))

    async def _ask(self, path: str, client: Mapping[str, str]) -> Answer | None:
        if await self._is_at_upstream(path):
            self.confirm(path)
            return None
        try:
            # The head of the answer suffices.
            async with self.origin.get(path, client, _PATIENCE_REGISTRY) as response:
                if response.status == 200:
                    self.confirm(path)
                    return None
                answer = await response.answer(_LIMIT)
        except MessageError as error:
            return unavailable(str(error))
        if answer.status < 500:
            return answer
        return unavailable("the upstream must confirm that this repository has the layer, and does not respond")

    async def _is_at_upstream(self, path: str) -> bool:
        if self.upstream is None:
            return False
        repository = path.removeprefix("/v2/").rpartition("/blobs/")[0]
        try:
            return await self.upstream.has(path, repository, _PATIENCE_UPSTREAM)
        except MessageError as error:
            _log.warning("%s: %s", path, error)
            return False
