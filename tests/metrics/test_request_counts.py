"""What a line of the front means, and that nothing else becomes a label."""

from __future__ import annotations

import pytest
from metrics.request_counts import RequestCounts, parse, result_of
from metrics.table import KINDS, METRICS, RESULTS, Pod

# kind, status, access, cache, fetcher, passed on
LINES = {
    "tag 200  HIT - 0": "hit",
    "tag 200  MISS - 1": "miss",
    "tag 200  HIT stale 0": "stale",
    "digest 200  MISS hit 1": "hit",
    "digest 304  HIT - 0": "hit",
    "layer 200  - - 0": "hit",
    "layer 206  - - 0": "hit",
    "layer 200  - - 1": "miss",
    "layer 307  - - 1": "miss",
    "referrers 200  - - 1": "miss",
    "version 200  - - 1": "ok",
    "tag 401 challenge HIT - 0": "challenge",
    "tag 401  - - 1": "refused",
    "tag 404  HIT - 0": "not_found",
    "tag 429  MISS - 1": "rate_limited",
    "tag 429  HIT - 0": "rate_limited",
    "tag 429  - - 0": "limited",
    "tag 503  - - 0": "limited",
    "tag 503  MISS - 1": "error",
    "tag 503  HIT - 0": "error",
    "layer 499  - - 1": "canceled",
    "other 414  - - 0": "invalid",
    "tag 502  MISS - 1": "error",
}


@pytest.mark.parametrize(("line", "result"), LINES.items())
def test_the_result_of_a_request_at_a_registry(line: str, result: str) -> None:
    assert result_of(parse(f"{line} 12 ".encode()), Pod.REGISTRY) == result
    assert result in RESULTS


@pytest.mark.parametrize(
    ("line", "result"),
    [
        ("token 200  - - 1 900 0.004", "ok"),
        ("token 401 login - - 1 90 0.050", "refused"),
        ("token 429 login - - 0 90 ", "limited"),
        ("token 405  - - 0 90 ", "invalid"),
        ("token 502  - - 1 90 0.001", "error"),
        ("other 404  - - 0 90 ", "invalid"),
    ],
)
def test_the_result_of_a_request_at_docker_auth(line: str, result: str) -> None:
    assert result_of(parse(line.encode()), Pod.AUTH) == result


def test_the_endpoint_leaves_the_result_to_the_pods_behind_it() -> None:
    lines = {"pull 401  - - 1 9": "passed", "pull 503  - - 0 9": "limited", "pull 502  - - 1 9": "error"}
    assert {line: result_of(parse(line.encode()), Pod.ENDPOINT) for line in lines} == lines


def values(counts: RequestCounts) -> dict[str, float]:
    """The samples that are not 0."""
    return {str(sample).rpartition(" ")[0]: sample.value for sample in counts.samples() if sample.value}


def test_requests_and_bytes_are_added() -> None:
    counts = RequestCounts(Pod.REGISTRY)
    counts.count([b"tag 200  HIT - 0 500 "] * 3 + [b"tag 200  HIT - 0 700 "])
    counts.count([b"tag 200  MISS - 1 500 "])
    assert values(counts) == {
        'regmirror_requests_total{kind="tag",result="hit"}': 4,
        'regmirror_requests_total{kind="tag",result="miss"}': 1,
        'regmirror_response_bytes_total{kind="tag"}': 2700,
    }


def test_tokens_with_credentials_are_logins_and_their_time_is_counted_in_buckets() -> None:
    counts = RequestCounts(Pod.AUTH)
    counts.count([b"token 200  - - 1 900 0.004", b"token 200 login - - 1 900 0.050, 0.010", b"sign_in 200  - - 1 9 "])
    found = values(counts)
    assert found['regmirror_requests_total{kind="token",result="ok"}'] == 1
    assert found['regmirror_requests_total{kind="login",result="ok"}'] == 1
    buckets = [value for name, value in found.items() if "_bucket" in name]
    assert buckets == [1, 1, 1, 2, 2, 2, 2, 2]
    assert found["regmirror_token_request_duration_seconds_sum"] == pytest.approx(0.064)


@pytest.mark.parametrize(
    "line",
    [b"", b"tag", b"library/x 200  HIT - 0 5 ", b"tag two  HIT - 0 5 ", b"token 200 login - - 0 5 ", b"\xff\xfe 200"],
)
def test_a_line_that_the_front_does_not_write_becomes_no_label(line: bytes) -> None:
    counts = RequestCounts(Pod.REGISTRY)
    counts.count([line] * 2)
    assert values(counts) == {"regmirror_lines_lost_total": 2}


def test_the_number_of_series_is_small_whatever_happens() -> None:
    """Every combination of what a line can say."""
    counts = RequestCounts(Pod.REGISTRY)
    for kind in KINDS[Pod.REGISTRY]:
        for status in (200, 206, 304, 307, 400, 401, 403, 404, 405, 413, 416, 429, 499, 500, 502, 503, 504):
            for rest in ("challenge - - 0", " HIT - 0", " MISS - 1", " HIT stale 0", " MISS hit 1", " MISS made-up 1"):
                counts.count([f"{kind} {status} {rest} 1".encode()])
    found = [sample for sample in counts.samples() if sample.name == "regmirror_requests_total"]
    (metric,) = [metric for metric in METRICS if metric.name == "regmirror_requests_total"]
    assert {sample.labels["result"] for sample in found} <= set(metric.labels["result"])
    assert {sample.labels["kind"] for sample in found} <= set(metric.labels["kind"])
    assert len(found) <= len(KINDS[Pod.REGISTRY]) * len(RESULTS)


@pytest.mark.parametrize("pod", Pod)
def test_what_an_alert_asks_for_exists_before_it_happens(pod: Pod) -> None:
    """Prometheus sees no increase from a missing sample to the first one."""
    samples = [sample for sample in RequestCounts(pod).samples() if "requests_total" in sample.name]
    assert {sample.value for sample in samples} == {0}
    results = {result for metric in METRICS if metric.name == samples[0].name for result in metric.labels["result"]}
    assert {sample.labels["result"] for sample in samples} <= results
    assert {sample.labels["kind"] for sample in samples} <= set(KINDS[pod])
