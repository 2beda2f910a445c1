"""A status as a document, for programs; docs/status.md has every field."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from regmirror.config.model import API_VERSION
from regmirror.ports.object_store import Contents
from regmirror.status.background import Unavailable
from regmirror.status.findings import Cache, Component, PublicEndpoint, Pulls, Status, UpstreamStatus

T = TypeVar("T")


def status_report(status: Status) -> dict[str, Any]:
    """A StatusReport; in the place of what could not be found out stands ``{"unknown": why}``."""
    return {
        "apiVersion": API_VERSION,
        "kind": "StatusReport",
        "host": status.host,
        "namespace": status.namespace,
        "context": status.context,
        "time": _moment(status.now),
        "serving": not status.faults,
        "faults": status.faults,
        "components": [{"name": name, **_known(found, _component)} for name, found in status.components.items()],
        "signingCertificate": _known(status.signing_ends, lambda ends: _certificate(ends, status.now)),
        "upstreams": [_upstream(one, status.now) for one in status.upstreams],
    }


def days_left(ends: datetime, now: datetime) -> int:
    """Whole days until then; negative once it is over."""
    return (ends - now).days


def _known(found: T | Unavailable, fields: Callable[[T], dict[str, Any]]) -> dict[str, Any]:
    return {"unknown": found.why} if isinstance(found, Unavailable) else fields(found)


def _upstream(one: UpstreamStatus, now: datetime) -> dict[str, Any]:
    return {
        "name": one.name,
        "url": one.url,
        "host": one.host,
        "entrance": _known(one.public_endpoint, _public_endpoint),
        "publicCertificate": _known(one.certificate_ends, lambda ends: _certificate(ends, now)),
        "cache": _known(one.cache, _cache),
        "store": _known(one.store, _store),
        "pullLimit": _known(one.pulls, _pulls),
    }


def _component(found: Component) -> dict[str, Any]:
    return {"version": found.version, "image": found.image, "ready": found.ready, "wanted": found.wanted}


def _public_endpoint(found: PublicEndpoint) -> dict[str, Any]:
    return {"url": found.url, "status": found.status, "serves": found.serves}


def _certificate(ends: datetime, now: datetime) -> dict[str, Any]:
    return {"notAfter": _moment(ends), "daysLeft": days_left(ends, now)}


def _cache(found: Cache) -> dict[str, Any]:
    figures = found.figures
    return {
        "since": _moment(found.since) if found.since else None,
        "podsAsked": found.asked,
        "podsRunning": found.running,
        "hits": figures.hits,
        "misses": figures.misses,
        "hitRatio": None if figures.hit_ratio is None else round(figures.hit_ratio, 4),
        "bytesFetched": figures.fetched,
        "bytesServed": figures.served,
        "bytesSaved": figures.saved,
    }


def _store(found: Contents) -> dict[str, Any]:
    return {"objects": found.objects, "bytes": found.size, "complete": found.complete}


def _pulls(found: Pulls) -> dict[str, Any]:
    counted = "account" if found.has_account else "address"
    if found.limit is None:
        return {"counted": counted, "limited": False}
    return {
        "counted": counted,
        "limited": True,
        "limit": found.limit.limit,
        "remaining": found.limit.remaining,
        "windowSeconds": found.limit.window,
    }


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
