"""A status for people: one screen, and for whatever could not be found out a line that says why."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TypeVar

from regmirror.cli.terminal import UNICODE, Symbols, Terminal
from regmirror.ports.object_store import Contents
from regmirror.status.background import Unavailable
from regmirror.status.findings import Cache, Component, PublicEndpoint, Pulls, Status, UpstreamStatus
from regmirror.status.report import days_left

T = TypeVar("T")

_LABEL = 22
_FEW_DAYS = 60
_FEW_PULLS = 0.1
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")

Line = tuple[str, str | None]
"""A text and its style."""


def print_status(terminal: Terminal, status: Status) -> None:
    """The whole screen, on standard output."""
    for text, style in screen(status, terminal.symbols):
        terminal.result(terminal.hint(text), style)


def screen(status: Status, symbols: Symbols = UNICODE) -> Iterator[Line]:
    """The lines of the screen."""
    yield _headline(status, symbols)
    yield f"namespace {status.namespace}, context {status.context}, {status.now:%Y-%m-%d %H:%M:%S} UTC", "dim"
    yield "", None
    for name, found in status.components.items():
        yield _line(name, found, _component)
    yield _line("signing certificate", status.signing_ends, lambda ends: _signing(ends, status.now))
    for one in status.upstreams:
        yield "", None
        yield f"{one.name} ({one.url})", "bold"
        yield from _upstream(one, status.now)


def size(count: int) -> str:
    """A number of bytes in units of a thousand, as registries count them: 1.1 MB."""
    value, units = float(count), iter(_UNITS)
    unit = next(units)
    for larger in units:
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{count} B" if unit == "B" else f"{value:.1f} {unit}"


def _headline(status: Status, symbols: Symbols) -> Line:
    if status.faults:
        return f"{symbols.error} https://{status.host} does not serve: {'; '.join(status.faults)}", "bold red"
    return f"{symbols.ok} https://{status.host} serves", "bold green"


def _line(label: str, found: T | Unavailable, words: Callable[[T], Line]) -> Line:
    text, style = (f"unknown: {found.why}", "yellow") if isinstance(found, Unavailable) else words(found)
    return f"  {label:<{_LABEL}} {text}", style


def _upstream(one: UpstreamStatus, now: datetime) -> Iterator[Line]:
    yield _line("public host", one.public_endpoint, _public_endpoint)
    yield _line("public certificate", one.certificate_ends, lambda ends: _certificate(ends, now))
    yield _line("answered from cache", one.cache, _hits)
    yield _line("traffic saved", one.cache, _saved)
    yield _line("stored", one.store, _store)
    yield _line("pulls left", one.pulls, _pulls)


def _component(found: Component) -> Line:
    style = None if found.ready >= found.wanted else "yellow" if found.ready else "red"
    return f"{found.ready}/{found.wanted} ready, version {found.version}", style


def _certificate(ends: datetime, now: datetime) -> Line:
    left = days_left(ends, now)
    if left < 0:
        return f"ended on {ends:%Y-%m-%d}", "red"
    return f"{left} days left, until {ends:%Y-%m-%d}", "yellow" if left < _FEW_DAYS else None


def _signing(ends: datetime, now: datetime) -> Line:
    text, style = _certificate(ends, now)
    return f"{text}: regmirror rotate-cert --force" if style else text, style


def _public_endpoint(found: PublicEndpoint) -> Line:
    return (found.url, None) if found.serves else (f"{found.url} answered {found.status}", "red")


def _hits(found: Cache) -> Line:
    figures = found.figures
    since = f" since {found.since:%Y-%m-%d %H:%M} UTC" if found.since else ""
    pods = f" ({found.asked} of {found.running} pods could be asked)" if found.asked < found.running else ""
    if figures.hit_ratio is None:
        return f"nothing was asked for{since}{pods}", None
    total = figures.hits + figures.misses
    return f"{figures.hit_ratio:.0%} of {total:,} manifests and layers{since}{pods}", None


def _saved(found: Cache) -> Line:
    return f"{size(found.figures.saved)} of {size(found.figures.served)} that clients got", None


def _store(found: Contents) -> Line:
    return f"{'' if found.complete else 'at least '}{size(found.size)} in {found.objects:,} objects", None


def _pulls(found: Pulls) -> Line:
    whose = "of the mirror's account" if found.has_account else "of this machine's address, as there is no account"
    if found.limit is None:
        return f"no limit is told ({whose})", None
    limit = found.limit
    window = f" in {limit.window / 3600:g} h" if limit.window else ""
    style = "yellow" if limit.remaining <= limit.limit * _FEW_PULLS else None
    return f"{limit.remaining:,} of {limit.limit:,}{window} ({whose})", style
