"""The cache figures of a mirror, read from the Prometheus metrics of its pods."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from regmirror.distribution.inside_pod import get_inside_pod
from regmirror.errors import ClusterError, RegistryError
from regmirror.ports.cluster import Cluster

_SAMPLE = re.compile(r"(?P<name>[A-Za-z_:][\w:]*)(?:\{(?P<labels>.*)\})?\s+(?P<value>\S+)(?:\s+-?\d+)?\s*", re.ASCII)
_LABEL = re.compile(r'\s*(?P<name>[A-Za-z_]\w*)\s*=\s*"(?P<value>(?:[^"\\]|\\.)*)"\s*,?', re.ASCII)
_ESCAPES = {"n": "\n"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric."""

    name: str
    labels: dict[str, str]
    value: float


def parse_metrics(text: str) -> list[Sample]:
    """Every sample in a text of the Prometheus exposition format, version 0.0.4; raises RegistryError if it is not one.

    Source: Prometheus' documentation, "Exposition formats".
    """
    return [_sample(line) for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def _sample(line: str) -> Sample:
    match = _SAMPLE.fullmatch(line.strip())
    try:
        if match is None:
            raise ValueError
        return Sample(match["name"], _labels(match["labels"] or ""), float(match["value"]))
    except ValueError:
        raise RegistryError(f'the metrics have an invalid line: "{line[:80]}"') from None


def _labels(text: str) -> dict[str, str]:
    labels, position = {}, 0
    while position < len(text):
        match = _LABEL.match(text, position)
        if match is None:
            raise ValueError(text)
        labels[match["name"]] = re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), match["value"])
        position = match.end()
    return labels


_PULLED = {"tag", "digest", "layer"}
_ANSWERED = {"hit", "miss", "stale"}


@dataclass(frozen=True, slots=True)
class CacheFigures:
    """What the pods of a registry answered since they count; manifests and layers together, sizes in bytes.

    A hit is a request that made the registry fetch nothing from the upstream. Source of the names:
    ``charts/registry/files/metrics/table.py``.
    """

    hits: int = 0
    misses: int = 0
    fetched: int = 0
    """From the upstream."""
    served: int = 0
    """To clients."""

    @property
    def hit_ratio(self) -> float | None:
        """The share of requests that the cache answered, from 0 to 1; None if there was no request."""
        return self.hits / (self.hits + self.misses) if self.hits + self.misses else None

    @property
    def saved(self) -> int:
        """Bytes that clients received without a transfer from the upstream."""
        return max(0, self.served - self.fetched)

    def __add__(self, other: Self) -> "CacheFigures":
        return CacheFigures(
            self.hits + other.hits,
            self.misses + other.misses,
            self.fetched + other.fetched,
            self.served + other.served,
        )


def cache_figures(samples: Iterable[Sample]) -> CacheFigures:
    """The figures in the metrics of one pod; a counter that is absent has not been incremented yet and is 0."""
    answered = fetches = fetched = served = 0.0
    for sample in samples:
        match sample.name:
            case "regmirror_requests_total" if sample.labels.get("result") in _ANSWERED and _is_pulled(sample):
                answered += sample.value
            case "regmirror_response_bytes_total" if _is_pulled(sample):
                served += sample.value
            case "regmirror_upstream_fetches_total":
                fetches += sample.value
            case "regmirror_upstream_bytes_total":
                fetched += sample.value
    # The registry may fetch for a client that has disconnected.
    misses = int(min(answered, fetches))
    return CacheFigures(int(answered) - misses, misses, int(fetched), int(served))


def _is_pulled(sample: Sample) -> bool:
    return sample.labels.get("kind") in _PULLED


def pod_figures(cluster: Cluster, pod: str, port: int) -> CacheFigures:
    """The figures of a pod, read from its scrape port, ``port``; raises ClusterError or RegistryError."""
    return cache_figures(_pod_samples(cluster, pod, port))


@dataclass(frozen=True, slots=True)
class StoreLookups:
    """How many manifests and layers a registry found in its store since its process started, and how many not.

    Source of the names: distribution v3.1.2, ``registry/proxy/proxymetrics.go``.
    """

    hits: int
    misses: int


def store_lookups(cluster: Cluster, pod: str, port: int) -> StoreLookups:
    """The lookups of a registry, read from its debug port, ``port``; raises as ``pod_figures`` does."""
    samples = _pod_samples(cluster, pod, port)
    hits, misses = (
        sum(int(sample.value) for sample in samples if sample.name == f"registry_proxy_{name}_total")
        for name in ("hits", "misses")
    )
    return StoreLookups(hits, misses)


@dataclass(frozen=True, slots=True)
class RedisLookups:
    """The registry's lookups in Redis since its process started.

    ``errors`` are those that Redis did not answer, for blobs that the store has. Source of the names: distribution
    v3.1.2, ``registry/storage/cache/cachedblobdescriptorstore.go``.
    """

    total: int
    errors: int


def redis_lookups(cluster: Cluster, pod: str, port: int) -> RedisLookups:
    """The lookups of a registry pod; raises as ``pod_figures`` does."""
    totals = {sample.name: int(sample.value) for sample in _pod_samples(cluster, pod, port)}
    found = (totals.get(f"registry_storage_cache_{name}_total", 0) for name in ("requests", "errors"))
    return RedisLookups(*found)


def _pod_samples(cluster: Cluster, pod: str, port: int) -> list[Sample]:
    answer = get_inside_pod(cluster, pod, port, "/metrics")
    if answer.status != 200:
        raise ClusterError(f"the metrics endpoint of pod {pod} answered {answer.status}")
    return parse_metrics(answer.body.decode(errors="replace"))
