"""Counts requests by kind and result, from the lines of the front (templates/_front.tpl, regmirror.requestLog)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from metrics.histogram import Histogram
from metrics.samples import Sample
from metrics.table import KINDS, PULLED, Pod
from metrics.top_list import TopList

_TOKEN_BOUNDS = (0.005, 0.01, 0.05, 0.1, 0.5, 1, 5)
_OF_ALL = ("limited", "invalid", "error", "canceled")
_EXPECTED = {
    Pod.REGISTRY: [
        (kind, result)
        for kind in PULLED
        for result in ("hit", "miss", "stale", "challenge", "refused", "not_found", "rate_limited", *_OF_ALL)
    ],
    Pod.AUTH: [(kind, result) for kind in ("token", "login") for result in ("ok", "refused", *_OF_ALL)],
    Pod.ENDPOINT: [(kind, result) for kind in ("pull", "token") for result in ("passed", *_OF_ALL)],
}
"""The series that exist from the start."""
_NAME_LIMIT = 256
"""Characters of a repository's name, with the slash before it."""
_FETCHED = {"hit", "stale"}
"""What the fetcher says about its own answers."""
_RANKINGS = {"hit": "pulled", "miss": "pulled", "stale": "pulled", "refused": "refused"}


class Request(NamedTuple):
    """What a line says."""

    kind: str
    status: int
    access: str
    """``challenge`` for a request without a token, ``login`` for one with credentials at docker_auth."""
    cache_status: str
    fetcher_result: str
    was_passed_on: bool
    size: int
    seconds: tuple[float, ...]
    """For tokens: the time of docker_auth, in parts if it was asked more than once."""
    repository: str = ""
    """For manifests: what the client named, if it is nearly well-formed."""


def parse(line: bytes) -> Request:
    """The request of a line; raises ValueError."""
    kind, status, access, cache, fetcher, passed_on, size, *times = line.decode("ascii").split(" ")
    seconds = tuple(float(time.rstrip(",")) for time in times if time[:1].isdigit())
    repository = times[-1][1:] if times and times[-1][:1] == "/" and len(times[-1]) <= _NAME_LIMIT else ""
    return Request(kind, int(status), access, cache, fetcher, passed_on == "1", int(size), seconds, repository)


def result_of(request: Request, pod: Pod) -> str:
    """Why a request ended as it did; one of ``metrics.table.RESULTS``."""
    if pod is Pod.ENDPOINT and request.was_passed_on and request.status < 500:
        return "passed"
    if request.status < 400:
        return _success(request)
    match request.status:
        case 401 if request.access == "challenge":
            return "challenge"
        case 401 | 403:
            return "refused"
        case 404 if pod is Pod.REGISTRY:
            return "not_found"
        case 429:
            return "rate_limited" if request.was_passed_on or request.cache_status == "HIT" else "limited"
        case 499:
            return "canceled"
        case 503 if not request.was_passed_on and request.cache_status != "HIT":
            return "limited"
    return "invalid" if request.status < 500 else "error"


def _success(request: Request) -> str:
    if request.kind not in (*PULLED, "referrers"):
        return "ok"
    if request.fetcher_result in _FETCHED:
        return request.fetcher_result
    # A layer on the volume is served by nginx itself.
    is_cached = not request.was_passed_on if request.kind == "layer" else request.cache_status == "HIT"
    return "hit" if is_cached else "miss"


class RequestCounts:
    """The totals of one front."""

    def __init__(self, pod: Pod) -> None:
        self._pod = pod
        self._prefix = "regmirror_endpoint" if pod is Pod.ENDPOINT else "regmirror"
        # An alert sees an increase only from a sample to the next, so the first ones are 0.
        self._requests = Counter(dict.fromkeys(_EXPECTED[pod], 0))
        self._bytes: Counter[str] = Counter()
        self._durations = Histogram(_TOKEN_BOUNDS)
        self.top = {"pulled": TopList(), "refused": TopList()}
        """The repositories whose manifests were sent, and refused, most."""
        self.lost = 0
        """Lines that could not be read."""

    def count(self, lines: Iterable[bytes]) -> None:
        """Add some lines: equal ones are parsed once, since a busy front writes thousands of them each second."""
        for line, times in Counter(lines).items():
            try:
                self._add(parse(line), times)
            except ValueError:
                self.lost += times

    def _add(self, request: Request, times: int) -> None:
        kind = "login" if request.kind == "token" and request.access == "login" else request.kind
        if kind not in KINDS[self._pod]:
            raise ValueError(kind)
        result = result_of(request, self._pod)
        self._requests[kind, result] += times
        if request.repository and (ranking := _RANKINGS.get(result)):
            self.top[ranking].add(request.repository, times)
        self._bytes[kind] += request.size * times
        if request.seconds and self._pod is Pod.AUTH:
            self._durations.observe(sum(request.seconds), times)

    def samples(self) -> Iterator[Sample]:
        """The samples of all counters."""
        for (kind, result), requests in sorted(self._requests.items()):
            yield Sample(f"{self._prefix}_requests_total", {"kind": kind, "result": result}, requests)
        for kind, size in sorted(self._bytes.items()):
            yield Sample(f"{self._prefix}_response_bytes_total", {"kind": kind}, size)
        if self._pod is Pod.AUTH:
            for end, labels, value in self._durations.samples():
                yield Sample(f"regmirror_token_request_duration_seconds{end}", labels, value)
        yield Sample("regmirror_lines_lost_total", {}, self.lost)
