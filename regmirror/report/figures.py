"""The figures at the top of the page, over all upstreams."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from regmirror.config.documents import Unknown
from regmirror.report.document import MirrorReport
from regmirror.status.report import CacheReport, PullLimitReport, StoreReport, UpstreamReport
from regmirror.status.sizes import size

T = TypeVar("T")
_FEW_PULLS = 0.1
_UNKNOWN = "–"


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its name; ``share`` is what a bar shows, from 0 to 1, if there is a bar."""

    name: str
    value: str
    detail: str
    share: float | None = None
    level: Literal["", "warning"] = ""


def headline_figures(report: MirrorReport) -> list[Figure]:
    """Cache hits, traffic saved, stored, and pulls left; what is not known says why."""
    upstreams = report.status.upstreams
    return [_hits(upstreams), _saved(upstreams), _stored(upstreams), _pulls_left(upstreams)]


def upstream_figures(upstream: UpstreamReport) -> list[Figure]:
    """The same figures of one upstream."""
    only = [upstream]
    return [_hits(only), _saved(only), _stored(only), _pulls_left(only)]


def _known(values: Sequence[T | Unknown]) -> list[T]:
    return [value for value in values if not isinstance(value, Unknown)]


def _unknown(name: str, values: Sequence[object]) -> Figure:
    reasons = dict.fromkeys(value.unknown for value in values if isinstance(value, Unknown))
    return Figure(name, _UNKNOWN, f"unknown: {'; '.join(reasons)}")


def _of(upstreams: Sequence[UpstreamReport], known: Sequence[object]) -> str:
    return "" if len(known) == len(upstreams) else f", {len(known)} of {len(upstreams)} upstreams"


def _since(caches: Sequence[CacheReport]) -> str:
    begun = [cache.since for cache in caches if cache.since]
    return f" since {min(begun):%Y-%m-%d}" if begun else ""


def _hits(upstreams: Sequence[UpstreamReport]) -> Figure:
    name, values = "Cache hits", [upstream.cache for upstream in upstreams]
    known: list[CacheReport] = _known(values)
    if not known:
        return _unknown(name, values)
    hits, misses = sum(cache.hits for cache in known), sum(cache.misses for cache in known)
    if not hits + misses:
        return Figure(name, _UNKNOWN, f"no requests yet{_of(upstreams, known)}")
    share = hits / (hits + misses)
    return Figure(
        name, f"{share:.0%}", f"of {hits + misses:,} manifests and layers{_since(known)}{_of(upstreams, known)}", share
    )


def _saved(upstreams: Sequence[UpstreamReport]) -> Figure:
    name, values = "Traffic saved", [upstream.cache for upstream in upstreams]
    known: list[CacheReport] = _known(values)
    if not known:
        return _unknown(name, values)
    saved, served = sum(cache.bytes_saved for cache in known), sum(cache.bytes_served for cache in known)
    share = min(1.0, saved / served) if served else None
    return Figure(name, size(saved), f"of {size(served)} sent to clients{_since(known)}{_of(upstreams, known)}", share)


def _stored(upstreams: Sequence[UpstreamReport]) -> Figure:
    name, values = "Stored", [upstream.store for upstream in upstreams]
    known: list[StoreReport] = _known(values)
    if not known:
        return _unknown(name, values)
    objects, total = sum(store.objects for store in known), size(sum(store.bytes for store in known))
    more = "" if all(store.complete for store in known) else "+"
    return Figure(name, total + more, f"in {objects:,}{more} objects{_of(upstreams, known)}")


def _pulls_left(upstreams: Sequence[UpstreamReport]) -> Figure:
    """Of the upstream that has the smallest share of its pulls left."""
    name, values = "Pulls left", [upstream.pull_limit for upstream in upstreams]
    known: list[PullLimitReport] = _known(values)
    if not known:
        return _unknown(name, values)
    limits = [(limit.remaining / limit.limit, limit) for limit in known if limit.limit and limit.remaining is not None]
    if not limits:
        return Figure(name, "no limit", f"the upstream reports none{_of(upstreams, known)}")
    share, lowest = min(limits, key=lambda found: found[0])
    window = f" in {lowest.window_seconds / 3600:g} h" if lowest.window_seconds else ""
    account = "for the mirror's account" if lowest.counted == "account" else "for the address of the machine that asked"
    level: Literal["", "warning"] = "warning" if share <= _FEW_PULLS else ""
    return Figure(name, f"{lowest.remaining:,}", f"of {lowest.limit:,}{window}, {account}", min(1.0, share), level)
