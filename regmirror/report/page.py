"""Writes a report as one HTML page that loads nothing and runs nothing."""

import base64
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import groupby

import jinja2

from regmirror.config.documents import Unknown
from regmirror.desired.assets import asset_directory
from regmirror.errors import TemplateError
from regmirror.errors.documentation import guide_url
from regmirror.report.attention import attention_items, failed_title, verdict
from regmirror.report.contents_map import ContentsMap, contents_map
from regmirror.report.document import ContentsReport, HistoryReport, MirrorReport, covers
from regmirror.report.figures import headline_figures, upstream_figures
from regmirror.report.line_chart import HEIGHT, WIDTH, line_chart
from regmirror.report.treemap import Rectangle
from regmirror.status.report import CertificateReport
from regmirror.status.sizes import size

GENERATOR = '<meta name="generator" content="regmirror'
"""Begins a line of every page."""
_SHOWN = 15
"""Repositories of the table that are visible at once."""
_FEW_DAYS = 60


@dataclass(frozen=True, slots=True)
class _Map:
    """A treemap on the page; the places of its cells are rules of the stylesheet, because it allows no other styles."""

    id: str
    content: ContentsMap

    def rules(self) -> tuple[Iterable[str], Iterable[str]]:
        """The rules for wide and for narrow pages."""
        cells = list(enumerate(self.content.cells))
        return (
            [_rule(f"{self.id}-{number}", cell.wide) for number, cell in cells],
            [_rule(f"{self.id}-{number}", cell.narrow) for number, cell in cells],
        )


def report_page(report: MirrorReport, complete: Callable[[str], str] = str) -> str:
    """The whole page; ``complete`` adds to the commands of hints the options that select the mirror.

    Raises TemplateError if the installation is incomplete.
    """
    environment = _environment()
    maps = {
        use.name: _Map(f"map{number}", contents_map(use.contents))
        for number, use in enumerate(report.upstreams)
        if isinstance(use.contents, ContentsReport)
    }
    try:
        style = _style(environment, maps.values())
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        return environment.get_template("page.html.j2").render(
            report=report,
            verdict=verdict(report),
            items=[replace(item, hint=complete(item.hint)) for item in attention_items(report)],
            figures=headline_figures(report),
            upstream_figures={upstream.name: upstream_figures(upstream) for upstream in report.status.upstreams},
            checks=_by_category(report),
            maps=maps,
            charts=_charts(report.history),
            style=style,
            style_digest=digest,
            guide=guide_url("report"),
        )
    except jinja2.TemplateError as error:
        raise TemplateError(f"the page of the report cannot be rendered: {error}") from error


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(asset_directory("templates") / "report"),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "size": size,
        "day": lambda moment: f"{moment:%Y-%m-%d}",
        "minute": lambda moment: f"{moment:%Y-%m-%d %H:%M} UTC",
        "share": lambda share: round(100 * min(1.0, max(0.0, share))),
        "in_unit": _in_unit,
    }
    environment.tests |= {"unknown": lambda value: isinstance(value, Unknown), "late": _is_late}
    environment.globals |= {"failed_title": failed_title, "SHOWN": _SHOWN, "WIDTH": WIDTH, "HEIGHT": HEIGHT}
    return environment


def _style(environment: jinja2.Environment, maps: Iterable[_Map]) -> str:
    wide: list[str] = []
    narrow: list[str] = []
    for one in maps:
        of_wide, of_narrow = one.rules()
        wide += of_wide
        narrow += of_narrow
    rules = {"wide": "\n".join(wide), "narrow": "\n".join(narrow)}
    return environment.get_template("page.css.j2").render(rules)


def _rule(name: str, place: Rectangle) -> str:
    return f"#{name}{{left:{place.x:.3f}%;top:{place.y:.3f}%;width:{place.width:.3f}%;height:{place.height:.3f}%}}"


def _by_category(report: MirrorReport) -> list[tuple[str, list[object]]]:
    checks = report.checks if isinstance(report.checks, list) else []
    return [(category, [*found]) for category, found in groupby(checks, key=lambda check: check.category)]


def _charts(history: object) -> list[object]:
    if not isinstance(history, HistoryReport):
        return []
    start, end = covers(history)
    return [line_chart(chart, start, end) for chart in history.charts]


def _in_unit(value: float | None, unit: str) -> str:
    """A value of a chart, as its legend and axis show it."""
    if value is None:
        return "–"
    match unit:
        case "ratio":
            return f"{value:.0%}"
        case "bytes":
            return f"{size(round(value))}/s"
        case _:
            return _rate(value)


def _rate(per_second: float) -> str:
    """Requests in an interval of which there is at least one, if there is any."""
    for seconds, name in ((1, "s"), (60, "min")):
        if per_second * seconds >= 1:
            return f"{per_second * seconds:,.3g}/{name}"
    return f"{per_second * 3600:,.2g}/h" if per_second else "0"


def _is_late(certificate: CertificateReport) -> bool:
    return certificate.days_left < _FEW_DAYS
