"""Looks a whole mirror up: every lookup begins at once, and none is waited for longer than all."""

import time

from regmirror.config.model import Upstream
from regmirror.desired import names
from regmirror.status import lookups
from regmirror.status.background import Lookup
from regmirror.status.findings import Status, UpstreamStatus
from regmirror.verify.live_mirror import LiveMirror

PATIENCE = 8.0
"""Seconds after which what is not known yet stays unknown."""
_MARGIN = 1.0
"""Seconds by which what ends by itself ends earlier, so that what it has counted is told."""


def look(live: LiveMirror, patience: float = PATIENCE) -> Status:
    """How the mirror is doing; nothing that cannot be seen makes it fail."""
    ends = time.monotonic() + patience
    releases = [names.REDIS, names.AUTH, *(names.registry(upstream.name) for upstream in live.mirror.upstreams)]
    components = {name: Lookup(lookups.component, live, name) for name in releases}
    signing = Lookup(lookups.signing_ends, live)
    upstreams = [_Looking(live, upstream, ends) for upstream in live.mirror.upstreams]
    return Status(
        host=live.mirror.host,
        namespace=live.cluster.namespace,
        context=live.cluster.context,
        now=live.now(),
        components={name: lookup.found(ends) for name, lookup in components.items()},
        signing_ends=signing.found(ends),
        upstreams=[one.settled() for one in upstreams],
    )


class _Looking:
    """The lookups about one upstream, begun."""

    def __init__(self, live: LiveMirror, upstream: Upstream, ends: float) -> None:
        self._upstream, self._host, self._ends = upstream, live.mirror.host_of(upstream), ends
        self._public_endpoint = Lookup(lookups.public_endpoint, live, upstream)
        self._certificate = Lookup(lookups.certificate_ends, live, upstream)
        self._cache = Lookup(lookups.cache, live, upstream, ends - _MARGIN)
        self._store = Lookup(lookups.store, live, upstream, ends - _MARGIN)
        self._pulls = Lookup(lookups.pulls, live, upstream)

    def settled(self) -> UpstreamStatus:
        return UpstreamStatus(
            name=self._upstream.name,
            url=self._upstream.url,
            host=self._host,
            public_endpoint=self._public_endpoint.found(self._ends),
            certificate_ends=self._certificate.found(self._ends),
            cache=self._cache.found(self._ends),
            store=self._store.found(self._ends),
            pulls=self._pulls.found(self._ends),
        )
