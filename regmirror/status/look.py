"""Looks a whole mirror up: every lookup begins at once, and none is waited for longer than all."""

import time

from regmirror.config.model import Upstream
from regmirror.stack import names
from regmirror.status import lookups
from regmirror.status.findings import Status, UpstreamStatus
from regmirror.status.side_by_side import Lookup
from regmirror.verify.subject import Subject

PATIENCE = 8.0
"""Seconds after which what is not known yet stays unknown."""
_MARGIN = 1.0
"""Seconds by which what ends by itself ends earlier, so that what it has counted is told."""


def look(subject: Subject, patience: float = PATIENCE) -> Status:
    """How the mirror is doing; nothing that cannot be seen makes it fail."""
    ends = time.monotonic() + patience
    releases = [names.REDIS, names.AUTH, *(names.registry(upstream.name) for upstream in subject.mirror.upstreams)]
    components = {name: Lookup(lookups.component, subject, name) for name in releases}
    signing = Lookup(lookups.signing_ends, subject)
    upstreams = [_Looking(subject, upstream, ends) for upstream in subject.mirror.upstreams]
    return Status(
        host=subject.mirror.host,
        namespace=subject.cluster.namespace,
        context=subject.cluster.context,
        now=subject.now(),
        components={name: lookup.found(ends) for name, lookup in components.items()},
        signing_ends=signing.found(ends),
        upstreams=[one.settled() for one in upstreams],
    )


class _Looking:
    """The lookups about one upstream, begun."""

    def __init__(self, subject: Subject, upstream: Upstream, ends: float) -> None:
        self._upstream, self._host, self._ends = upstream, subject.mirror.host_of(upstream), ends
        self._entrance = Lookup(lookups.entrance, subject, upstream)
        self._certificate = Lookup(lookups.certificate_ends, subject, upstream)
        self._cache = Lookup(lookups.cache, subject, upstream, ends - _MARGIN)
        self._store = Lookup(lookups.store, subject, upstream, ends - _MARGIN)
        self._pulls = Lookup(lookups.pulls, subject, upstream)

    def settled(self) -> UpstreamStatus:
        return UpstreamStatus(
            name=self._upstream.name,
            url=self._upstream.url,
            host=self._host,
            entrance=self._entrance.found(self._ends),
            certificate_ends=self._certificate.found(self._ends),
            cache=self._cache.found(self._ends),
            store=self._store.found(self._ends),
            pulls=self._pulls.found(self._ends),
        )
