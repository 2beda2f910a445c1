"""The history of the report: what Prometheus is asked, and what it may answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from regmirror.errors import ConfigurationError, RegistryError
from regmirror.ports.http import Answer
from regmirror.report.document import ChartReport, HistoryReport, PointReport, SeriesReport
from regmirror.report.line_chart import line_chart
from regmirror.report.prometheus import Prometheus, checked_url
from tests import samples
from tests.fakes.http import FakeHttp, Request

URL = "http://127.0.0.1:9090"
START = samples.NOW - timedelta(days=7)


def values(*found: tuple[float, str]) -> bytes:
    series = [{"metric": {}, "values": [list(one) for one in found]}] if found else []
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": series}}).encode()


def history(answer: Answer, token: str = "") -> tuple[HistoryReport, list[Request]]:
    http = FakeHttp({URL: lambda _: answer})
    server = Prometheus(f"{URL}/", http, SecretStr(token) if token else None)
    return server.history("mirrors", samples.NOW, timedelta(days=7)), http.requests


def test_the_figures_of_one_namespace_are_asked_for_a_bounded_number_of_times() -> None:
    found, requests = history(Answer(200, {}, values((START.timestamp(), "0.5"), (START.timestamp() + 3600, "NaN"))))
    assert {request.path for request in requests} == {"/api/v1/query_range"}
    assert all('namespace="mirrors"' in request.query["query"][0] for request in requests)
    assert {request.query["step"][0] for request in requests} == {"3600"}
    assert not any("$" in request.query["query"][0] for request in requests)
    assert [chart.title for chart in found.charts] == ["Cache hits", "Traffic", "Refused and failed"]
    first = found.charts[0].series[0].points
    assert [(point.time, point.value) for point in first] == [(START, 0.5), (START + timedelta(hours=1), None)]


def test_the_last_value_is_of_now_also_if_no_whole_step_ends_there() -> None:
    http = FakeHttp({URL: lambda _: Answer(200, {}, values((0, "1")))})
    Prometheus(URL, http).history("mirrors", samples.NOW, timedelta(days=30))
    for request in http.requests:
        start, end, step = (float(request.query[name][0]) for name in ("start", "end", "step"))
        assert end == samples.NOW.timestamp()
        assert (end - start) % step == 0
        assert 0 <= start - (samples.NOW - timedelta(days=30)).timestamp() < step


def test_more_values_than_were_asked_for_are_dropped() -> None:
    found, _ = history(Answer(200, {}, values(*[(START.timestamp(), "1")] * 5000)))
    assert len(found.charts[0].series[0].points) == 169


def test_a_server_without_metrics_of_the_mirror_is_reported() -> None:
    with pytest.raises(RegistryError, match='Prometheus has no metrics of regmirror with namespace="mirrors"'):
        history(Answer(200, {}, values()))


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"\xff",
        b"[]",
        b'{"data": 1}',
        b'{"data": {"result": [1]}}',
        b'{"data": {"result": [{"values": [[1e300, "1"]]}]}}',
        b'{"data": {"result": [{"values": [[0, "x"]]}]}}',
        b'{"data": {"result": [{"values": [[]]}]}}',
    ],
)
def test_what_is_not_an_answer_of_prometheus_is_reported(body: bytes) -> None:
    with pytest.raises(RegistryError, match=f"{URL} does not answer as Prometheus does"):
        history(Answer(200, {}, body))


def test_an_error_of_the_server_is_reported() -> None:
    with pytest.raises(RegistryError, match=f"{URL} answered 422 to a query"):
        history(Answer(422, {}, b""))


def test_the_token_is_sent_and_no_one_can_read_it() -> None:
    _, requests = history(Answer(200, {}, values((0, "1"))), token="canary")
    assert {request.headers["Authorization"] for request in requests} == {"Bearer canary"}


@pytest.mark.parametrize(
    "url",
    ["prometheus:9090", "file:///etc/passwd", "http://", "http://a:0/", "http://a/?x=1", "http://[", "http://a\n"],
)
def test_a_url_that_is_not_one_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="--prometheus: not the URL of a Prometheus server"):
        checked_url(url, has_token=False)


def test_a_password_in_a_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigurationError) as refused:
        checked_url("https://user:canary@prometheus.example.com", has_token=False)
    assert "canary" not in f"{refused.value} {refused.value.hint}"


def test_a_token_is_not_sent_without_tls() -> None:
    with pytest.raises(ConfigurationError, match="not sent without TLS"):
        checked_url("http://prometheus.example.com", has_token=True)
    assert checked_url("http://127.0.0.1:9090/", has_token=True) == "http://127.0.0.1:9090"


def chart(unit: str, *points: float | None) -> ChartReport:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    found = [PointReport(time=begin + timedelta(hours=n), value=value) for n, value in enumerate(points)]
    content: dict[str, Any] = {"title": "t", "unit": unit, "series": [SeriesReport(name="s", points=found)]}
    return ChartReport.model_validate(content)


def drawn(unit: str, *points: float | None) -> Any:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    return line_chart(chart(unit, *points), begin, begin + timedelta(hours=len(points) - 1))


def test_a_line_runs_from_edge_to_edge_and_stops_at_gaps() -> None:
    (line,) = drawn("ratio", 0.0, 1.0, None, 0.5, 0.25).lines
    assert line.line == "M0.0,100.0L250.0,0.0 M750.0,50.0L1000.0,75.0"
    assert (line.latest, line.average, line.highest) == (0.25, 0.4375, 1.0)


def test_a_single_value_is_a_dot_and_no_value_is_nothing() -> None:
    assert drawn("ratio", None, 0.5, None).lines[0].line == "M500.0,50.0L500.0,50.0"
    (line,) = drawn("bytes", None, None).lines
    assert (line.line, line.latest) == ("", None)


@pytest.mark.parametrize(("highest", "top"), [(0.0, 1.0), (0.3, 0.5), (7.0, 10.0), (4.2e7, 5e7), (1e-9, 1e-9)])
def test_the_axis_ends_at_a_round_number(highest: float, top: float) -> None:
    assert drawn("bytes", 0.0, highest).top == pytest.approx(top)
