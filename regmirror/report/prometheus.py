"""Reads figures over time from a Prometheus server.

Source: Prometheus' documentation, "HTTP API", "Range queries".
"""

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from pydantic import SecretStr

from regmirror.errors import ConfigurationError, RegistryError
from regmirror.ports.http import Http
from regmirror.report.document import ChartReport, HistoryReport, PointReport, SeriesReport

TOKEN_VARIABLE = "REGMIRROR_PROMETHEUS_TOKEN"  # noqa: S105 - the name of a variable
_POINTS = 168
"""Values in a chart: hours of a week."""
_SHORTEST_STEP = 60
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}

Points = list[tuple[datetime, float | None]]


@dataclass(frozen=True, slots=True)
class _Chart:
    """One chart: a query for each of its series, with ``$mirror`` for the label and ``$range`` for the interval."""

    title: str
    unit: str
    queries: dict[str, str]


_PULLS = 'regmirror_requests_total{$mirror,kind=~"tag|digest|layer",result=~"hit|miss|stale"}'
_CHARTS = (
    _Chart(
        "Cache hits",
        "ratio",
        {
            "served without the upstream": "clamp_min(1 - sum(rate(regmirror_upstream_fetches_total{$mirror}[$range]))"
            f" / sum(rate({_PULLS}[$range])), 0)"
        },
    ),
    _Chart(
        "Traffic",
        "bytes",
        {
            "sent to clients": 'sum(rate(regmirror_response_bytes_total{$mirror,upstream!=""}[$range]))',
            "from the upstream": "sum(rate(regmirror_upstream_bytes_total{$mirror}[$range]))",
        },
    ),
    _Chart(
        "Refused and failed",
        "requests",
        {
            "refused": 'sum(rate(regmirror_requests_total{$mirror,upstream!="",result="refused"}[$range]))',
            "limited": 'sum(rate(regmirror_requests_total{$mirror,result=~"limited|rate_limited"}[$range]))',
            "errors": 'sum(rate(regmirror_requests_total{$mirror,result="error"}[$range]))',
        },
    ),
)


class Prometheus:
    """A Prometheus server, or one that answers the same requests, such as Thanos or Mimir."""

    def __init__(self, url: str, http: Http, token: SecretStr | None = None) -> None:
        """``token`` is sent as a bearer token. Raises ConfigurationError unless the URL is fit for use."""
        self._url, self._http = checked_url(url, has_token=token is not None), http
        self._headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}

    def history(self, namespace: str, now: datetime, span: timedelta) -> HistoryReport:
        """The figures of the mirror in a namespace, for ``span`` until ``now``; raises RegistryError."""
        step = max(_SHORTEST_STEP, math.ceil(span.total_seconds() / _POINTS))
        # Two scrapes at least, even if Prometheus scrapes only once in two minutes.
        words = {"$mirror": f"namespace={json.dumps(namespace)}", "$range": f"{max(step, 300)}s"}
        # Values are at whole steps after the start: the last one is of now.
        start = now - timedelta(seconds=step * (span.total_seconds() // step))
        charts = [self._chart(chart, words, start, now, step) for chart in _CHARTS]
        if not any(series.points for chart in charts for series in chart.series):
            raise RegistryError(f'Prometheus has no metrics of regmirror with namespace="{namespace}"')
        return HistoryReport(since=now - span, step_seconds=step, charts=charts)

    def _chart(self, chart: _Chart, words: dict[str, str], start: datetime, end: datetime, step: int) -> ChartReport:
        series = []
        for name, query in chart.queries.items():
            for placeholder, text in words.items():
                query = query.replace(placeholder, text)
            points = self._points(query, start, end, step)
            series.append(
                SeriesReport(name=name, points=[PointReport(time=moment, value=value) for moment, value in points])
            )
        return ChartReport.model_validate({"title": chart.title, "unit": chart.unit, "series": series})

    def _points(self, query: str, start: datetime, end: datetime, step: int) -> Points:
        """The values of a query that gives one series, or none."""
        words = {"query": query, "start": start.timestamp(), "end": end.timestamp(), "step": step}
        answer = self._http.request("GET", f"{self._url}/api/v1/query_range?{urlencode(words)}", self._headers)
        if answer.status != 200:
            raise RegistryError(f"{self._url} answered {answer.status} to a query")
        try:
            found = json.loads(answer.body)["data"]["result"]
            return [_point(moment, value) for moment, value in found[0]["values"][: _POINTS + 1]] if found else []
        except (ValueError, LookupError, TypeError, OverflowError):
            raise RegistryError(f"{self._url} does not answer as Prometheus does") from None


def _point(moment: Any, value: Any) -> tuple[datetime, float | None]:
    number = float(value)
    return datetime.fromtimestamp(float(moment), UTC), number if math.isfinite(number) else None


def checked_url(url: str, *, has_token: bool) -> str:
    """The base of a server's URLs, without a slash at its end; raises ConfigurationError."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and url.isprintable()
    except ValueError:
        valid = False
    if not valid or parts.query or parts.fragment:
        hint = "for example --prometheus http://127.0.0.1:9090"
        raise ConfigurationError("--prometheus: not the URL of a Prometheus server", hint=hint)
    if parts.username is not None:
        raise ConfigurationError("--prometheus: a URL with a password is refused", hint=f"set {TOKEN_VARIABLE}")
    if has_token and parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ConfigurationError(f"--prometheus: {TOKEN_VARIABLE} is not sent without TLS", hint="use an https:// URL")
    return url.rstrip("/")
