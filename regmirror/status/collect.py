"""Collects the state of a mirror: all lookups start at once and share one deadline."""

import time

from regmirror.config.model import Upstream
from regmirror.desired import names
from regmirror.status import lookups
from regmirror.status.background import Lookup
from regmirror.status.findings import Status, UpstreamStatus
from regmirror.verify.live_mirror import LiveMirror

TIME_LIMIT = 8.0
"""Seconds after which what is not known yet is reported as unknown."""
_MARGIN = 1.0
"""Seconds by which lookups that end by themselves end earlier, so that their partial results are reported."""


def collect_status(live: LiveMirror, time_limit: float = TIME_LIMIT) -> Status:
    """The state of the mirror; what cannot be determined is reported as unknown."""
    ends = time.monotonic() + time_limit
    redis = [] if live.mirror.redis.external else [names.REDIS]
    redis += [names.SIGN_IN] if live.mirror.access.sign_in else []
    auth = [] if live.mirror.auth.external else [names.AUTH]
    endpoint = [names.INGRESS] if live.mirror.ingress.service else []
    releases = [*redis, *auth, *(names.registry(upstream.name) for upstream in live.mirror.upstreams), *endpoint]
    components = {name: Lookup(lookups.component, live, name) for name in releases}
    signing = Lookup(lookups.signing_ends, live)
    upstreams = [_UpstreamLookups(live, upstream, ends) for upstream in live.mirror.upstreams]
    return Status(
        host=live.mirror.endpoint,
        namespace=live.cluster.namespace,
        context=live.cluster.context,
        now=live.now(),
        components={name: lookup.result(ends) for name, lookup in components.items()},
        signing_ends=signing.result(ends),
        upstreams=[upstream.collect() for upstream in upstreams],
    )


class _UpstreamLookups:
    """The running lookups about one upstream."""

    def __init__(self, live: LiveMirror, upstream: Upstream, ends: float) -> None:
        self._upstream, self._host, self._ends = upstream, live.mirror.endpoint_of(upstream), ends
        self._public_endpoint = Lookup(lookups.public_endpoint, live, upstream)
        self._certificate = Lookup(lookups.certificate_ends, live, upstream)
        self._cache = Lookup(lookups.cache, live, upstream, ends - _MARGIN)
        self._store = Lookup(lookups.store, live, upstream, ends - _MARGIN)
        self._pull_quota = Lookup(lookups.pull_quota, live, upstream)

    def collect(self) -> UpstreamStatus:
        return UpstreamStatus(
            name=self._upstream.name,
            url=self._upstream.url,
            host=self._host,
            public_endpoint=self._public_endpoint.result(self._ends),
            certificate_ends=self._certificate.result(self._ends),
            cache=self._cache.result(self._ends),
            store=self._store.result(self._ends),
            pull_quota=self._pull_quota.result(self._ends),
        )
