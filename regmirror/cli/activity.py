"""What a mirror does between two looks at it, from the difference of its counters."""

from collections import deque
from dataclasses import dataclass, field

from regmirror.config.documents import Unknown
from regmirror.status.report import CacheReport, StatusReport, UpstreamReport
from regmirror.status.sizes import size

_REMEMBERED = 24
_BLOCKS = "▁▂▃▄▅▆▇█"


@dataclass(slots=True)
class Activity:
    """The requests and the traffic of each upstream, from one report to the next."""

    is_unicode: bool = True
    _last: StatusReport | None = None
    _rates: dict[str, deque[float]] = field(default_factory=dict)

    def rows(self, report: StatusReport) -> dict[str, str]:
        """A line for each upstream whose counters are known now and were in the report before."""
        last, self._last = self._last, report
        if last is None:
            return {}
        seconds = (report.time - last.time).total_seconds()
        before = {upstream.name: upstream.cache for upstream in last.upstreams}
        rows = {upstream.name: self._row(upstream, before.get(upstream.name), seconds) for upstream in report.upstreams}
        return {name: row for name, row in rows.items() if row}

    def _row(self, upstream: UpstreamReport, before: CacheReport | Unknown | None, seconds: float) -> str:
        now = upstream.cache
        if seconds <= 0 or not isinstance(now, CacheReport) or not isinstance(before, CacheReport):
            return ""
        requests = now.hits + now.misses - before.hits - before.misses
        served = now.bytes_served - before.bytes_served
        # The counters begin at 0 again if a pod was replaced.
        if requests < 0 or served < 0:
            return ""
        rates = self._rates.setdefault(upstream.name, deque(maxlen=_REMEMBERED))
        rates.append(requests / seconds)
        text = f"{requests / seconds:.3g} requests/s, {size(round(served / seconds))}/s to clients"
        return f"{text}  {sparkline(rates)}" if self.is_unicode and len(rates) > 1 else text


def sparkline(values: "deque[float] | list[float]") -> str:
    """Values as bars of text, the largest one full."""
    largest = max(values) or 1.0
    return "".join(_BLOCKS[round(value / largest * (len(_BLOCKS) - 1))] for value in values)
