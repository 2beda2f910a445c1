"""Every metric: its name, type, labels and meaning. docs/reference/metrics.md is generated from this table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Pod(StrEnum):
    """The pods that have a scrape port, by the component in their labels."""

    REGISTRY = "registry"
    AUTH = "auth"
    ENDPOINT = "endpoint"


class Kind(StrEnum):
    """The type of a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric. ``labels`` has the possible values of each label, or a description of them."""

    name: str
    kind: Kind
    meaning: str
    pods: tuple[Pod, ...] = (Pod.REGISTRY,)
    labels: Mapping[str, tuple[str, ...] | str] = field(default_factory=dict)

    @property
    def sample_names(self) -> tuple[str, ...]:
        """The names of its samples."""
        is_histogram = self.kind is Kind.HISTOGRAM
        return tuple(f"{self.name}_{end}" for end in ("bucket", "sum", "count")) if is_histogram else (self.name,)


PULLED = ("tag", "digest", "layer")
CONTENT = ("manifest", "layer")
KINDS = {
    Pod.REGISTRY: (*PULLED, "referrers", "version", "other"),
    Pod.AUTH: ("token", "login", "sign_in", "other"),
    Pod.ENDPOINT: ("pull", "token", "sign_in", "version", "other"),
}
RESULTS = {
    "hit": "answered from the caches of the pod",
    "miss": "passed on to the registry, which may have it in its store",
    "stale": "the last known tag, because the registry failed or waited too long for the upstream. If the upstream "
    "refuses connections or answers with an error, the registry itself serves the tag that it knows: that is a miss",
    "ok": "answered; nothing is cached for this kind",
    "passed": "passed on to the pods behind the endpoint",
    "challenge": "401 for a request without a token, with which every client begins",
    "refused": "401 or 403 for a request with a token or a password",
    "not_found": "404",
    "rate_limited": "429 of the upstream",
    "limited": "429 or 503: more requests at once than the front passes on",
    "invalid": "another 4xx",
    "error": "5xx",
    "canceled": "the client disconnected first",
}
"""The results of requests; the endpoint cannot see those of the pods behind it."""

_OF_REGISTRY = ("hit", "miss", "stale", "ok", "challenge", "refused", "not_found", "rate_limited")
_OF_ALL = ("limited", "invalid", "error", "canceled")
_COUNTED = (*_OF_REGISTRY, *_OF_ALL)
_FRONTS = (Pod.REGISTRY, Pod.AUTH)

METRICS = (
    Metric(
        "regmirror_requests_total",
        Kind.COUNTER,
        "Requests of clients that were answered.",
        _FRONTS,
        {"kind": tuple(dict.fromkeys((*KINDS[Pod.REGISTRY], *KINDS[Pod.AUTH]))), "result": _COUNTED},
    ),
    Metric(
        "regmirror_response_bytes_total",
        Kind.COUNTER,
        "Bytes that were sent to clients, without headers.",
        _FRONTS,
        {"kind": tuple(dict.fromkeys((*KINDS[Pod.REGISTRY], *KINDS[Pod.AUTH])))},
    ),
    Metric(
        "regmirror_store_hits_total",
        Kind.COUNTER,
        "Manifests and layers that the registry found in its bucket or volume.",
        labels={"kind": CONTENT},
    ),
    Metric(
        "regmirror_upstream_fetches_total",
        Kind.COUNTER,
        "Manifests and layers that the registry fetched from the upstream.",
        labels={"kind": CONTENT},
    ),
    Metric(
        "regmirror_upstream_bytes_total",
        Kind.COUNTER,
        "Bytes that the registry fetched from the upstream.",
        labels={"kind": CONTENT},
    ),
    Metric(
        "regmirror_registry_request_duration_seconds",
        Kind.HISTOGRAM,
        "Time until the registry begins to answer a request for what the pod does not have. The registry looks up each "
        "tag at the upstream, so for tags this is the latency of the upstream.",
        labels={"kind": PULLED},
    ),
    Metric(
        "regmirror_registry_failures_total",
        Kind.COUNTER,
        "Requests that the registry failed: the upstream's rate limit, a failing store, another 5xx, which is nearly "
        "always the upstream's, or no answer of the registry.",
        labels={"cause": ("rate_limited", "store", "upstream", "registry")},
    ),
    Metric(
        "regmirror_shared_requests_total",
        Kind.COUNTER,
        "Requests that were answered by what another client had already asked for.",
        labels={"kind": PULLED},
    ),
    Metric(
        "regmirror_waiting_requests",
        Kind.GAUGE,
        "Requests that wait for the registry.",
        labels={"kind": PULLED},
    ),
    Metric("regmirror_layer_downloads_in_flight", Kind.GAUGE, "Layers on their way to the cache of the pod."),
    Metric("regmirror_layer_cache_bytes", Kind.GAUGE, "Bytes of layers in the cache of the pod."),
    Metric("regmirror_layer_cache_limit_bytes", Kind.GAUGE, "Size of this cache, `registry.layerCache.size`."),
    Metric("regmirror_layer_cache_layers", Kind.GAUGE, "Complete layers in the cache of the pod."),
    Metric(
        "regmirror_layer_cache_evictions_total",
        Kind.COUNTER,
        "Layers that were removed to make room, or because they had changed on the disk.",
    ),
    Metric("regmirror_layer_volume_free_bytes", Kind.GAUGE, "Free bytes of the disk that has this cache."),
    Metric(
        "regmirror_oldest_stale_seconds",
        Kind.GAUGE,
        "Time since the upstream last confirmed the oldest of the tags that were served stale in the last 5 minutes; 0 "
        "if none was.",
    ),
    Metric("regmirror_redis_lookups_total", Kind.COUNTER, "Lookups of the registry in Redis."),
    Metric("regmirror_redis_errors_total", Kind.COUNTER, "Lookups that Redis did not answer."),
    Metric(
        "regmirror_token_request_duration_seconds",
        Kind.HISTOGRAM,
        "Time in which docker_auth answered a request for a token.",
        (Pod.AUTH,),
    ),
    Metric(
        "regmirror_certificate_not_after_timestamp_seconds",
        Kind.GAUGE,
        "When a certificate expires, as a Unix time.",
        (Pod.AUTH,),
        {"certificate": ("signing",)},
    ),
    Metric(
        "regmirror_endpoint_requests_total",
        Kind.COUNTER,
        "Requests of clients at the public endpoint. The pods behind it count those that were passed on again.",
        (Pod.ENDPOINT,),
        {"kind": KINDS[Pod.ENDPOINT], "result": ("passed", *_OF_ALL)},
    ),
    Metric(
        "regmirror_endpoint_response_bytes_total",
        Kind.COUNTER,
        "Bytes that the public endpoint sent to clients, without headers.",
        (Pod.ENDPOINT,),
        {"kind": KINDS[Pod.ENDPOINT]},
    ),
    Metric(
        "regmirror_build_info",
        Kind.GAUGE,
        "Always 1.",
        tuple(Pod),
        {"version": "version of the chart", "component": tuple(Pod)},
    ),
    Metric(
        "regmirror_start_time_seconds",
        Kind.GAUGE,
        "When the metrics container started, as a Unix time. It counts requests from then on.",
        tuple(Pod),
    ),
    Metric(
        "regmirror_lines_lost_total",
        Kind.COUNTER,
        "Requests that could not be counted.",
        tuple(Pod),
    ),
    Metric(
        "regmirror_source_up",
        Kind.GAUGE,
        "1 if this part of the metrics could be read, 0 if it is missing from them.",
        (Pod.REGISTRY, Pod.AUTH),
        {"source": ("fetcher", "registry", "verification")},
    ),
)
