"""The Prometheus text format, and the cache figures of a registry."""

from __future__ import annotations

import pytest

from regmirror.distribution.metrics import CacheFigures, Sample, cache_figures, parse_metrics
from regmirror.errors import RegistryError

POD = """\
# HELP regmirror_requests_total Requests of clients that were answered.
# TYPE regmirror_requests_total counter
regmirror_requests_total{upstream="hub",kind="tag",result="hit"} 5
regmirror_requests_total{upstream="hub",kind="tag",result="challenge"} 100
regmirror_requests_total{upstream="hub",kind="tag",result="stale"} 1
regmirror_requests_total{upstream="hub",kind="layer",result="miss"} 6
regmirror_requests_total{upstream="hub",kind="version",result="ok"} 70
regmirror_upstream_fetches_total{upstream="hub",kind="layer"} 2
regmirror_upstream_fetches_total{upstream="hub",kind="manifest"} 1
regmirror_upstream_bytes_total{upstream="hub",kind="layer"} 1.093624e+06
regmirror_upstream_bytes_total{upstream="hub",kind="manifest"} 896
regmirror_response_bytes_total{upstream="hub",kind="layer"} 3.093624e+06
regmirror_response_bytes_total{upstream="hub",kind="tag"} 896
regmirror_response_bytes_total{upstream="hub",kind="version"} 5000
"""


@pytest.mark.parametrize(
    ("line", "sample"),
    [
        ("up 1", Sample("up", {}, 1)),
        ("up 1 1700000000000", Sample("up", {}, 1)),
        ("  up\t-1.5e3", Sample("up", {}, -1500)),
        ("up{} 2", Sample("up", {}, 2)),
        ('a:b{x="1", y="2",} 3', Sample("a:b", {"x": "1", "y": "2"}, 3)),
        (r'path{dir="C:\\new",say="\"}\" and\nmore"} 1', Sample("path", {"dir": "C:\\new", "say": '"}" and\nmore'}, 1)),
        ("up +Inf", Sample("up", {}, float("inf"))),
    ],
)
def test_a_sample_is_parsed(line: str, sample: Sample) -> None:
    assert parse_metrics(f"# HELP up is it?\n\n{line}\n") == [sample]


@pytest.mark.parametrize("line", ["<html>", "up", "up one", "up{x=1} 1", 'up{x="1} 1', "1up 1", "up{x} 1"])
def test_an_invalid_line_is_an_error(line: str) -> None:
    with pytest.raises(RegistryError, match="an invalid line"):
        parse_metrics(line)


def test_the_figures_of_a_pod_are_those_of_manifests_and_layers() -> None:
    figures = cache_figures(parse_metrics(POD))
    assert figures == CacheFigures(hits=9, misses=3, fetched=1_094_520, served=3_094_520)
    assert (figures.hit_ratio, figures.saved) == (0.75, 2_000_000)


def test_what_was_fetched_for_nobody_is_not_a_request() -> None:
    text = 'regmirror_requests_total{kind="layer",result="hit"} 1\nregmirror_upstream_fetches_total{kind="layer"} 3\n'
    assert cache_figures(parse_metrics(text)) == CacheFigures(hits=0, misses=1)


def test_figures_of_several_pods_are_added() -> None:
    assert CacheFigures(1, 2, 3, 4) + CacheFigures(10, 20, 30, 40) == CacheFigures(11, 22, 33, 44)


def test_a_registry_without_requests_has_no_ratio() -> None:
    figures = cache_figures(parse_metrics("go_goroutines 7\n"))
    assert (figures, figures.hit_ratio, figures.saved) == (CacheFigures(), None, 0)


def test_bytes_that_were_fetched_but_not_served_save_nothing() -> None:
    assert CacheFigures(fetched=10, served=3).saved == 0
