"""The document of ``regmirror status``."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal, TypeVar

from pydantic import Field

from regmirror.config.documents import DocumentPart, MirrorDocument, Timestamp, Unknown
from regmirror.ports.object_store import Contents
from regmirror.status.background import Unavailable
from regmirror.status.findings import Cache, Component, PublicEndpoint, PullQuota, State, Status, UpstreamStatus

T = TypeVar("T")
R = TypeVar("R")


class ComponentReport(DocumentPart):
    """One component of the mirror."""

    name: Annotated[str, Field(description="Name of the Deployment.")]
    version: Annotated[str | None, Field(description="Tag or digest of the image; null if no ready pod was seen.")]
    image: Annotated[str | None, Field(description="The image that runs; null if no ready pod was seen.")]
    ready: Annotated[int, Field(ge=0, description="Number of available pods.")]
    wanted: Annotated[int, Field(ge=0, description="Number of wanted pods.")]
    problem: Annotated[str | None, Field(description="Why a pod does not start; null if all do.")]


class UnknownComponent(DocumentPart):
    """A component that could not be read."""

    name: Annotated[str, Field(description="Name of the Deployment.")]
    unknown: Annotated[str, Field(description="Why the component is not known.")]


class CertificateReport(DocumentPart):
    """When a certificate expires."""

    not_after: Annotated[Timestamp, Field(description="When the certificate expires.")]
    days_left: Annotated[int, Field(description="Whole days until then; negative if it has expired.")]


class PublicEndpointReport(DocumentPart):
    """The answer of the public host to GET /v2/."""

    url: Annotated[str, Field(description="The public host.")]
    status: Annotated[int, Field(description="HTTP status of the answer.")]
    serves: Annotated[bool, Field(description="Whether this is the answer of a registry (200 or 401).")]
    reached_at: Annotated[
        str | None,
        Field(description="The address that --resolve made the request use; null if it is the one that clients use."),
    ]


class CacheReport(DocumentPart):
    """What the pods of the registry count, manifests and layers together."""

    since: Annotated[Timestamp | None, Field(description="Start of the oldest pod that responds.")]
    pods_responding: Annotated[int, Field(ge=0, description="Number of pods whose counters are included.")]
    pods_running: Annotated[int, Field(ge=0, description="Number of running pods.")]
    hits: Annotated[int, Field(ge=0, description="Requests that needed nothing from the upstream.")]
    misses: Annotated[int, Field(ge=0, description="Requests whose content was fetched from the upstream.")]
    hit_ratio: Annotated[float | None, Field(description="Share of hits, 0 to 1; null before the first request.")]
    bytes_fetched: Annotated[int, Field(ge=0, description="Bytes fetched from the upstream.")]
    bytes_served: Annotated[int, Field(ge=0, description="Bytes sent to clients.")]
    bytes_saved: Annotated[int, Field(ge=0, description="Bytes that clients received without the upstream.")]


class StoreReport(DocumentPart):
    """The objects of the upstream in the bucket."""

    objects: Annotated[int, Field(ge=0, description="Number of objects.")]
    bytes: Annotated[int, Field(ge=0, description="Their size together.")]
    complete: Annotated[bool, Field(description="Whether all were counted; if not, there are more.")]


class PullLimitReport(DocumentPart):
    """The pull limit of the upstream."""

    counted: Annotated[
        Literal["account", "address"],
        Field(description="Whether pulls count for the mirror's account, or for the address of this machine."),
    ]
    limited: Annotated[bool, Field(description="Whether the upstream reports a limit.")]
    limit: Annotated[int | None, Field(description="Pulls in each window; null without a limit.")] = None
    remaining: Annotated[int | None, Field(description="Pulls left in this window; null without a limit.")] = None
    window_seconds: Annotated[int | None, Field(description="Length of the window in seconds; null if unknown.")] = None


class UpstreamReport(DocumentPart):
    """The mirror of one upstream."""

    name: Annotated[str, Field(description="Name of the upstream.")]
    url: Annotated[str, Field(description="URL of the upstream.")]
    host: Annotated[str, Field(description="Public host of its mirror, with the port unless it is 443.")]
    public_endpoint: Annotated[PublicEndpointReport | Unknown, Field(description="The answer of the public host.")]
    public_certificate: Annotated[CertificateReport | Unknown, Field(description="Certificate of the public host.")]
    cache: Annotated[CacheReport | Unknown, Field(description="Cache hits and saved traffic.")]
    store: Annotated[StoreReport | Unknown, Field(description="What the bucket stores.")]
    pull_limit: Annotated[PullLimitReport | Unknown, Field(description="The pull limit.")]


class StatusReport(MirrorDocument):
    """The result of ``regmirror status -o json``."""

    kind: Annotated[Literal["StatusReport"], Field(description="Kind of the document.")] = "StatusReport"
    time: Annotated[Timestamp, Field(description="When the state was read.")]
    state: Annotated[
        State,
        Field(
            description="serving: seen at the public hosts; running: all components are ready, but a public host was "
            "not checked; failing: see faults; unknown: the cluster could not be read; not-deployed."
        ),
    ]
    serving: Annotated[bool, Field(description="Whether the state is serving.")]
    faults: Annotated[list[str], Field(description="Why the mirror does not serve; empty if none was seen.")]
    warnings: Annotated[list[str], Field(description="Pods that do not start, and public hosts that were not checked.")]
    components: Annotated[list[ComponentReport | UnknownComponent], Field(description="Every component.")]
    signing_certificate: Annotated[CertificateReport | Unknown, Field(description="The signing certificate.")]
    upstreams: Annotated[list[UpstreamReport], Field(description="Every upstream.")]


def status_report(status: Status) -> StatusReport:
    """The report on a status."""
    return StatusReport(
        host=status.host,
        namespace=status.namespace,
        context=status.context,
        time=status.now,
        state=status.state,
        serving=status.state is State.SERVING,
        faults=status.faults,
        warnings=status.warnings,
        components=[
            UnknownComponent(name=name, unknown=component.reason)
            if isinstance(component, Unavailable)
            else _component(component)
            for name, component in status.components.items()
        ],
        signing_certificate=_known(status.signing_ends, lambda ends: _certificate(ends, status.now)),
        upstreams=[_upstream(upstream, status.now) for upstream in status.upstreams],
    )


def _known(value: T | Unavailable, report: Callable[[T], R]) -> R | Unknown:
    return Unknown(unknown=value.reason) if isinstance(value, Unavailable) else report(value)


def _upstream(upstream: UpstreamStatus, now: datetime) -> UpstreamReport:
    return UpstreamReport(
        name=upstream.name,
        url=upstream.url,
        host=upstream.host,
        public_endpoint=_known(upstream.public_endpoint, _public_endpoint),
        public_certificate=_known(upstream.certificate_ends, lambda ends: _certificate(ends, now)),
        cache=_known(upstream.cache, _cache),
        store=_known(upstream.store, _store),
        pull_limit=_known(upstream.pull_quota, _pull_limit),
    )


def _component(component: Component) -> ComponentReport:
    return ComponentReport(
        name=component.name,
        version=component.version or None,
        image=component.image or None,
        ready=component.ready,
        wanted=component.wanted,
        problem=component.problem or None,
    )


def _public_endpoint(endpoint: PublicEndpoint) -> PublicEndpointReport:
    return PublicEndpointReport(
        url=endpoint.url, status=endpoint.status, serves=endpoint.serves, reached_at=endpoint.reached_at or None
    )


def _certificate(ends: datetime, now: datetime) -> CertificateReport:
    return CertificateReport(not_after=ends, days_left=(ends - now).days)


def _cache(cache: Cache) -> CacheReport:
    figures = cache.figures
    return CacheReport(
        since=cache.since,
        pods_responding=cache.responding,
        pods_running=cache.running,
        hits=figures.hits,
        misses=figures.misses,
        hit_ratio=None if figures.hit_ratio is None else round(figures.hit_ratio, 4),
        bytes_fetched=figures.fetched,
        bytes_served=figures.served,
        bytes_saved=figures.saved,
    )


def _store(contents: Contents) -> StoreReport:
    return StoreReport(objects=contents.objects, bytes=contents.size, complete=contents.complete)


def _pull_limit(quota: PullQuota) -> PullLimitReport:
    counted: Literal["account", "address"] = "account" if quota.has_account else "address"
    if quota.limit is None:
        return PullLimitReport(counted=counted, limited=False)
    return PullLimitReport(
        counted=counted,
        limited=True,
        limit=quota.limit.limit,
        remaining=quota.limit.remaining,
        window_seconds=quota.limit.window,
    )
