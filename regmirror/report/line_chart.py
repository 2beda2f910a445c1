"""The lines and areas of a chart over time, as paths of SVG."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from regmirror.report.document import ChartReport, PointReport, SeriesReport

WIDTH, HEIGHT = 1000, 100
"""The coordinates of a path; the page stretches them."""
_STEPS = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Line:
    """One series: ``line`` and ``area`` are path data; the values are those of a legend, None if there is none."""

    name: str
    line: str
    area: str
    latest: float | None
    average: float | None
    highest: float | None


@dataclass(frozen=True, slots=True)
class LineChart:
    """A chart whose vertical axis runs from 0 to ``top``."""

    title: str
    unit: str
    top: float
    lines: list[Line]


def line_chart(chart: ChartReport, start: datetime, end: datetime) -> LineChart:
    """The chart between two moments."""
    values = [value for series in chart.series for value in _values(series)]
    top = 1.0 if chart.unit == "ratio" else _round_up(max(values, default=0.0))
    return LineChart(chart.title, chart.unit, top, [_line(series, start, end, top) for series in chart.series])


def _values(series: SeriesReport) -> list[float]:
    return [point.value for point in series.points if point.value is not None]


def _round_up(value: float) -> float:
    """The next number that reads well: 1, 2 or 5 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in _STEPS if step * power >= value), 10 * power)


def _line(series: SeriesReport, start: datetime, end: datetime, top: float) -> Line:
    values = _values(series)
    runs = [[_place(point, start, end, top) for point in _drawn(run)] for run in _runs(series.points)]
    line = " ".join("M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in run) for run in runs)
    area = " ".join(
        f"M{run[0][0]:.1f},{HEIGHT}L" + "L".join(f"{x:.1f},{y:.1f}" for x, y in run) + f"L{run[-1][0]:.1f},{HEIGHT}Z"
        for run in runs
    )
    average = sum(values) / len(values) if values else None
    return Line(series.name, line, area, values[-1] if values else None, average, max(values, default=None))


def _runs(points: list[PointReport]) -> Iterator[list[PointReport]]:
    """The points between gaps."""
    run: list[PointReport] = []
    for point in points:
        if point.value is not None:
            run.append(point)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _drawn(run: list[PointReport]) -> list[PointReport]:
    """A line needs two points; with round ends, twice the same one is a dot."""
    return run * 2 if len(run) == 1 else run


def _place(point: PointReport, start: datetime, end: datetime, top: float) -> tuple[float, float]:
    span = (end - start).total_seconds() or 1.0
    x = (point.time - start).total_seconds() / span * WIDTH
    y = HEIGHT - (point.value or 0.0) / top * HEIGHT
    return min(max(x, 0.0), WIDTH), min(max(y, 0.0), HEIGHT)
