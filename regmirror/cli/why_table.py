"""Shows the answer of ``regmirror why``: one sentence, and below it what it follows from."""

import textwrap
from collections.abc import Iterator

from regmirror.access.report import CacheReport, UpstreamAnswer, WhyReport
from regmirror.access.words import describe_client
from regmirror.cli.terminal import Terminal
from regmirror.config.documents import Unknown

_LABEL = 10
_NARROWEST = 40
"""Columns; on a narrower terminal, the terminal itself breaks the lines."""
_STATES = {
    "public": "public",
    "private": "private: only the mirror's account can read it",
    "missing": "does not have it (404)",
    "refused": "does not have it, or it is private",
    "rateLimited": "refuses it: no pull is left (429)",
}


def print_why(streams: Terminal, report: WhyReport) -> None:
    """The answer on standard output; a difference between file and mirror on standard error."""
    symbol, style = (streams.symbols.ok, "green") if report.allowed else (streams.symbols.error, "bold red")
    verb = "may" if report.allowed else "may not"
    streams.result(f"{symbol} {describe_client(report.client)} {verb} pull {report.image} ({report.upstream})", style)
    for label, text in _rows(report):
        streams.result(_wrapped(streams, f"  {label:<{_LABEL}} ", text))
    if report.difference:
        streams.info(f"{streams.symbols.warning} {report.difference.message}", "yellow", wrap=True)
        streams.info(f"  Try: {report.difference.hint}")


def _wrapped(streams: Terminal, label: str, text: str) -> str:
    """A row, whose text is broken between words on a terminal only."""
    if not streams.stdout.is_terminal:
        return label + text
    indent = " " * len(label)
    width = max(streams.stdout.width, _NARROWEST)
    return textwrap.fill(
        text, width, initial_indent=label, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _rows(report: WhyReport) -> Iterator[tuple[str, str]]:
    yield "rule", report.rule.place
    for other in report.other_rules:
        yield "allowed to", f"{other.clients}: {report.rule.file}:{other.line} {other.key} {other.pattern}"
    if report.mirror:
        yield "token", f"{'allows' if report.mirror.allowed else 'does not allow'} the pull ({report.mirror.realm})"
    if report.at_upstream is not None:
        yield "cache", _cache(report.cache)
        yield "upstream", _upstream(report, report.at_upstream)
    if report.pulls is not None:
        yield "quota", "no pull is counted" if report.pulls == 0 else "counts as a pull, for each platform"
    yield "client", report.next


def _cache(cache: CacheReport | Unknown | None) -> str:
    if cache is None:
        return "not cached"
    if isinstance(cache, Unknown):
        return f"unknown: {cache.unknown}"
    state = {True: "the upstream has another digest now", False: "current", None: "not compared"}[cache.stale]
    failing = "; the mirror does not serve it" if cache.served is False else ""
    return f"{cache.digest}, since {cache.since:%Y-%m-%d %H:%M} UTC, {state}{failing}"


def _upstream(report: WhyReport, found: UpstreamAnswer | Unknown) -> str:
    if isinstance(found, Unknown):
        return f"unknown: {found.unknown}"
    left = f"; {found.pulls_left} of {found.pull_limit} pulls left" if found.pull_limit is not None else ""
    digest = f", {found.digest}" if found.digest else ""
    return f"{report.registry}: {_STATES[found.state]}{digest}{left}"
