"""The table of ``regmirror status``: one screen of 80 columns; a value that is not known says why."""

import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from regmirror.cli.terminal import UNICODE, Symbols, Terminal
from regmirror.config.documents import Unknown
from regmirror.status.findings import State
from regmirror.status.report import (
    CacheReport,
    CertificateReport,
    ComponentReport,
    PublicEndpointReport,
    PullLimitReport,
    StatusReport,
    StoreReport,
    UnknownComponent,
    UpstreamReport,
)
from regmirror.status.sizes import size

T = TypeVar("T")

WIDTH = 80
_LABEL = 22
_VALUE = _LABEL + 3
"""The column where values begin."""
_FEW_DAYS = 60
_FEW_PULLS = 0.1

Line = tuple[str, str | None]
"""A text and its style."""


def print_status(terminal: Terminal, report: StatusReport) -> None:
    """Print the whole table on standard output."""
    for text, style in screen(report, terminal.symbols):
        for line in wrap(terminal.hint(text)):
            terminal.result(line, style)


def screen(
    report: StatusReport, symbols: Symbols = UNICODE, activity: Mapping[str, str] | None = None
) -> Iterator[Line]:
    """The lines of the table, not wrapped; ``activity`` is what is going on now, by upstream."""
    yield _headline(report, symbols)
    yield f"namespace {report.namespace}, context {report.context}, {report.time:%Y-%m-%d %H:%M:%S} UTC", "dim"
    if report.state is State.NOT_DEPLOYED:
        return
    yield "", None
    # One cause is shown once: what else could not be read for the same reason is left out.
    cause = _common_cause(report)
    if cause:
        yield _row("cluster", Unknown(unknown=cause), str)
    else:
        for component in report.components:
            yield from _component_rows(component)
    yield from _unless(cause, _row("signing certificate", report.signing_certificate, _signing))
    for upstream in report.upstreams:
        yield "", None
        yield f"{upstream.name} ({upstream.url})", "bold"
        yield from _upstream(upstream, cause)
        if activity and upstream.name in activity:
            yield _row("now", activity[upstream.name], str)


def _headline(report: StatusReport, symbols: Symbols) -> Line:
    url, hosts_answer = f"https://{report.host}", all(_serves(upstream) for upstream in report.upstreams)
    match report.state:
        case State.SERVING if report.warnings:
            return f"{symbols.warning} {url} serves, but a pod does not start", "bold yellow"
        case State.SERVING:
            return f"{symbols.ok} {url} serves", "bold green"
        case State.RUNNING:
            return f"? {url} is running; the public host was not checked", "bold yellow"
        case State.FAILING:
            return f"{symbols.error} {url} does not serve: {'; '.join(report.faults)}", "bold red"
        case State.UNKNOWN:
            answers = "; the public host answers" if hosts_answer else ""
            return f"? {url}: cannot read the cluster{answers}", "bold yellow"
        case State.NOT_DEPLOYED:
            return f"{symbols.error} {url} is not deployed", "bold red"


def _serves(upstream: UpstreamReport) -> bool:
    return isinstance(upstream.public_endpoint, PublicEndpointReport) and upstream.public_endpoint.serves


def _common_cause(report: StatusReport) -> str:
    """Why no component could be read, if that has one reason; otherwise empty."""
    reasons = {component.unknown if isinstance(component, UnknownComponent) else "" for component in report.components}
    return reasons.pop() if len(reasons) == 1 else ""


def _unless(cause: str, row: Line) -> Iterator[Line]:
    if not cause or not row[0].endswith(f"unknown: {cause}"):
        yield row


def _row(label: str, value: T | Unknown, describe: Callable[[T], Line | str]) -> Line:
    described = (f"unknown: {value.unknown}", "yellow") if isinstance(value, Unknown) else describe(value)
    text, style = (described, None) if isinstance(described, str) else described
    return f"  {label:<{_LABEL}} {text}", style


def wrap(line: str, width: int = WIDTH) -> list[str]:
    """Break a line at a width of at most 80 columns; continuation lines start where values do."""
    indent = " " * _VALUE if line.startswith("  ") and width >= 2 * _VALUE else "  "
    return textwrap.wrap(
        line,
        min(width, WIDTH),
        subsequent_indent=indent,
        break_long_words=width < WIDTH,
        break_on_hyphens=False,
        drop_whitespace=True,
        replace_whitespace=False,
    ) or [""]


def _component_rows(component: ComponentReport | UnknownComponent) -> Iterator[Line]:
    if isinstance(component, UnknownComponent):
        yield _row(component.name, Unknown(unknown=component.unknown), str)
        return
    yield _row(component.name, component, _component)
    if component.problem:
        yield _row("", component.problem, lambda problem: (problem, "yellow"))


def _upstream(upstream: UpstreamReport, cause: str) -> Iterator[Line]:
    yield _row("public host", upstream.public_endpoint, _public_endpoint)
    yield _row("public certificate", upstream.public_certificate, _certificate)
    yield from _unless(cause, _row("cache hits", upstream.cache, _hits))
    if isinstance(upstream.cache, CacheReport):
        yield _row("traffic saved", upstream.cache, _saved)
        yield _row("counted since", upstream.cache, _since)
    yield from _unless(cause, _row("stored", upstream.store, _store))
    yield from _unless(cause, _row("pulls left", upstream.pull_limit, _pull_limit))


def _component(component: ComponentReport) -> Line:
    ready, wanted = component.ready, component.wanted
    if not wanted:
        return "scaled to 0", "red"
    version = f", version {component.version or 'unknown'}" if ready else ""
    return f"{ready}/{wanted} ready{version}", None if ready >= wanted else "yellow" if ready else "red"


def _certificate(certificate: CertificateReport) -> Line:
    left, day = certificate.days_left, f"{certificate.not_after:%Y-%m-%d}"
    if left < 0:
        return f"expired on {day}", "red"
    return f"expires in {left} days, on {day}", "yellow" if left < _FEW_DAYS else None


def _signing(certificate: CertificateReport) -> Line:
    text, style = _certificate(certificate)
    return f"{text}; regmirror rotate-cert --force" if style else text, style


def _public_endpoint(endpoint: PublicEndpointReport) -> Line:
    if not endpoint.serves:
        return f"{endpoint.url} answered {endpoint.status}", "red"
    if endpoint.reached_at:
        return f"{endpoint.url}, reached at {endpoint.reached_at} with --resolve, which clients do not use", "yellow"
    return endpoint.url, None


def _hits(cache: CacheReport) -> str:
    if cache.hit_ratio is None:
        return "no requests yet"
    return f"{cache.hit_ratio:.0%} of {cache.hits + cache.misses:,} manifests and layers"


def _saved(cache: CacheReport) -> str:
    return f"{size(cache.bytes_saved)} of {size(cache.bytes_served)} sent to clients"


def _since(cache: CacheReport) -> str:
    since = f"{cache.since:%Y-%m-%d %H:%M} UTC" if cache.since else "an unknown time"
    pods = f" ({cache.pods_responding} of {cache.pods_running} pods responded)"
    return since + (pods if cache.pods_responding < cache.pods_running else "")


def _store(store: StoreReport) -> str:
    return f"{'' if store.complete else 'at least '}{size(store.bytes)} in {store.objects:,} objects"


def _pull_limit(quota: PullLimitReport) -> Line:
    scope = "for the mirror's account" if quota.counted == "account" else "for this machine's address"
    if quota.limit is None or quota.remaining is None:
        return f"no limit reported ({scope})", None
    window = f" in {quota.window_seconds / 3600:g} h" if quota.window_seconds else ""
    style = "yellow" if quota.remaining <= quota.limit * _FEW_PULLS else None
    return f"{quota.remaining:,} of {quota.limit:,}{window} ({scope})", style
