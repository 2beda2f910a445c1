"""Collects a report: all parts are looked up at the same time, and what is not known in time is reported as unknown."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TypeVar

from regmirror import __version__
from regmirror.config.documents import Unknown
from regmirror.config.model import Upstream
from regmirror.desired.registry_config import data_prefix
from regmirror.ports.object_store import ObjectStore, StoredObject
from regmirror.report.document import (
    ContentsReport,
    HistoryReport,
    MirrorReport,
    RankedRepository,
    RankingReport,
    RepositoryReport,
    UpstreamUse,
    health_of,
)
from regmirror.report.ranking import Ranked, Ranking, ranking
from regmirror.report.stored_images import Inventory, StoredImages
from regmirror.status.background import Lookup, Unavailable
from regmirror.status.collect import collect_status
from regmirror.status.lookups import reached_store
from regmirror.status.report import status_report
from regmirror.verify.checks import CHECKS
from regmirror.verify.live_mirror import LiveMirror
from regmirror.verify.report import CheckReport, check_report
from regmirror.verify.run import run_checks
from regmirror.verify.select import select_checks

TIME_LIMIT = 60.0
"""Seconds after which what is not known yet is reported as unknown."""
_MARGIN = 5.0
"""Seconds by which a listing ends earlier, so that what it has is reported."""
_MOST_OBJECTS = 300_000
"""Objects of each listing that are kept in memory, about 60 MB."""
_MOST_REPOSITORIES = 500

T = TypeVar("T")


def collect_report(
    live: LiveMirror,
    *,
    history: Callable[[], HistoryReport] | None = None,
    with_checks: bool = True,
    time_limit: float = TIME_LIMIT,
) -> MirrorReport:
    """The report on a mirror; ``history`` reads the figures over time, if there are any."""
    ends = time.monotonic() + time_limit
    checks = Lookup(_verify, live) if with_checks else None
    upstreams = [_UpstreamLookups(live, upstream, ends) for upstream in live.mirror.upstreams]
    issued = Lookup(_signing_key_issued, live)
    past = Lookup(history) if history else None
    status = status_report(collect_status(live))
    results = _known(checks.result(ends)) if checks else None
    contents = [upstream.collect() for upstream in upstreams]
    return MirrorReport(
        host=status.host,
        namespace=status.namespace,
        context=status.context,
        time=live.now(),
        version=__version__,
        health=health_of(status, results),
        status=status,
        checks=results,
        signing_key_issued=_known(issued.result(ends)),
        upstreams=contents,
        history=_known(past.result(ends)) if past else None,
    )


def _known(value: T | Unavailable) -> T | Unknown:
    return Unknown(unknown=value.reason) if isinstance(value, Unavailable) else value


def _verify(live: LiveMirror) -> list[CheckReport]:
    return [check_report(result) for result in run_checks(select_checks(CHECKS, pre_install=False), live)]


def _signing_key_issued(live: LiveMirror) -> datetime:
    return live.signing_certificate().not_valid_before_utc


class _UpstreamLookups:
    """The running lookups about one upstream."""

    def __init__(self, live: LiveMirror, upstream: Upstream, ends: float) -> None:
        self._upstream, self._ends = upstream, ends
        self._images = Lookup(_stored_images, live, upstream, ends - _MARGIN)
        self._ranking = Lookup(ranking, live, upstream, ends - _MARGIN)

    def collect(self) -> UpstreamUse:
        images, ranked = _known(self._images.result(self._ends)), _known(self._ranking.result(self._ends))
        return UpstreamUse(
            name=self._upstream.name,
            contents=images if isinstance(images, Unknown) else _contents(images),
            ranking=ranked if isinstance(ranked, Unknown) else _ranking(ranked),
        )


def _stored_images(live: LiveMirror, upstream: Upstream, ends: float) -> StoredImages:
    """What the bucket holds of an upstream, listed until ``ends`` on the monotonic clock; raises StorageError."""
    inventory, prefix = Inventory(), data_prefix(live.mirror.storage, upstream)
    with reached_store(live, upstream) as bucket:
        links = _Listing(bucket, f"{prefix}repositories/", ends)
        inventory.add_links(links.prefix, links)
        blobs = _Listing(bucket, f"{prefix}blobs/", ends)
        inventory.add_blobs(blobs.prefix, blobs)
    return inventory.images(complete=links.complete and blobs.complete)


class _Listing:
    """The objects below a prefix, until a time and up to a number; ``complete`` says whether these were all."""

    def __init__(self, bucket: ObjectStore, prefix: str, ends: float) -> None:
        self.prefix, self.complete = prefix, True
        self._bucket, self._ends = bucket, ends

    def __iter__(self) -> Iterator[StoredObject]:
        for number, stored in enumerate(self._bucket.objects(self.prefix)):
            if number >= _MOST_OBJECTS or time.monotonic() > self._ends:
                self.complete = False
                return
            yield stored


def _contents(images: StoredImages) -> ContentsReport:
    shown, others = images.repositories[:_MOST_REPOSITORIES], images.repositories[_MOST_REPOSITORIES:]
    return ContentsReport(
        bytes=images.size,
        unused=images.unused,
        complete=images.complete,
        repositories=[
            RepositoryReport(
                name=found.name,
                tags=found.tags,
                manifests=found.manifests,
                bytes=found.size,
                share=found.share,
                updated=found.updated,
            )
            for found in shown
        ],
        other_repositories=len(others),
        other_bytes=sum(found.share for found in others),
    )


def _ranking(found: Ranking) -> RankingReport:
    return RankingReport(since=found.since, pulled=_ranked(found.pulled), refused=_ranked(found.refused))


def _ranked(found: list[Ranked]) -> list[RankedRepository]:
    return [RankedRepository(name=one.name, count=one.count, uncertain=one.uncertain) for one in found]
