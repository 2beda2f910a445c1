"""The repositories that clients request most, as the metrics container of each registry pod counts them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from regmirror.config.model import Upstream
from regmirror.desired import names
from regmirror.desired.secret_contents import look_up
from regmirror.distribution.inside_pod import get_inside_pod
from regmirror.distribution.metrics import Sample, parse_metrics
from regmirror.errors import ClusterError
from regmirror.ports.cluster import POD, Cluster
from regmirror.report.stored_images import is_repository
from regmirror.status.background import Lookup, Unavailable
from regmirror.verify.live_mirror import LiveMirror

SHOWN = 20
"""Repositories in a ranking."""
_COUNT, _UNCERTAIN = "regmirror_repository_requests", "regmirror_repository_requests_uncertain"
_START = "regmirror_start_time_seconds"


@dataclass(frozen=True, slots=True)
class Ranked:
    """A repository and the number of its requests, of which ``uncertain`` may be those of others."""

    name: str
    count: int
    uncertain: int = 0


@dataclass(frozen=True, slots=True)
class Ranking:
    """What is pulled and what is refused most, since the oldest pod that responds started."""

    since: datetime | None
    pulled: list[Ranked]
    refused: list[Ranked]


def ranking(live: LiveMirror, upstream: Upstream, ends: float) -> Ranking:
    """The ranking of an upstream, over the pods that respond before ``ends``; raises ClusterError or RegistryError."""
    if not live.mirror.monitoring.metrics:
        raise ClusterError("the pods count nothing: monitoring.metrics is false")
    release = names.registry(upstream.name)
    pods = live.cluster.select(POD, selector=f"app.kubernetes.io/instance={release}")
    running = [pod["metadata"]["name"] for pod in pods if look_up(pod, "status", "phase") == "Running"]
    if not running:
        raise ClusterError(f"no pod of {release} is running")
    lookups = [Lookup(_samples, live.cluster, pod) for pod in running]
    results = [lookup.result(ends) for lookup in lookups]
    found = [samples for samples in results if not isinstance(samples, Unavailable)]
    if not found:
        raise ClusterError(next(result.reason for result in results if isinstance(result, Unavailable)))
    return merged(found)


def _samples(cluster: Cluster, pod: str) -> list[Sample]:
    answer = get_inside_pod(cluster, pod, names.METRICS_PORT, "/top")
    if answer.status != 200:
        raise ClusterError(f"the metrics container of pod {pod} answered {answer.status}")
    return parse_metrics(answer.body.decode(errors="replace"))


def merged(pods: Sequence[Iterable[Sample]]) -> Ranking:
    """The sums over pods; names that are not those of repositories are left out."""
    counts: dict[tuple[str, str, str], int] = {}
    starts: list[float] = []
    for sample in (sample for samples in pods for sample in samples):
        repository, result = sample.labels.get("repository", ""), sample.labels.get("result", "")
        if sample.name == _START:
            starts.append(sample.value)
        elif sample.name in {_COUNT, _UNCERTAIN} and is_repository(repository):
            key = (result, repository, sample.name)
            counts[key] = counts.get(key, 0) + int(sample.value)
    since = datetime.fromtimestamp(min(starts), UTC) if starts else None
    return Ranking(since, _most(counts, "pulled"), _most(counts, "refused"))


def _most(counts: dict[tuple[str, str, str], int], wanted: str) -> list[Ranked]:
    found = [
        Ranked(repository, count, counts.get((wanted, repository, _UNCERTAIN), 0))
        for (result, repository, name), count in counts.items()
        if result == wanted and name == _COUNT
    ]
    return sorted(found, key=lambda ranked: (-ranked.count, ranked.name))[:SHOWN]
