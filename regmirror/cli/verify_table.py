"""The results of verify for people: one line for each check, and below a failure its cause, a hint and a link."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from regmirror.cli.terminal import Symbols, Terminal
from regmirror.verify.check import Result
from regmirror.verify.report import CheckReport, check_report

_WIDTH = 80
_INDENT = " " * 6


def print_results(terminal: Terminal, results: Iterable[Result], *, several: bool, short: bool = False) -> list[Result]:
    """Print each result as soon as it is known, then a summary; return all results.

    With ``several`` upstreams their names are shown; ``short`` omits checks that passed or were skipped.
    """
    kept: list[Result] = []
    checks: list[CheckReport] = []
    category = ""
    for result in results:
        kept.append(result)
        check = check_report(result)
        checks.append(check)
        if short and check.result in {"success", "skipped"}:
            continue
        if check.category != category:
            if category:
                terminal.result()
            category = check.category
            terminal.result(category, "bold")
        _print_check(terminal, check, several=several)
    if category:
        terminal.result()
    _print_summary(terminal, checks)
    return kept


def _print_check(terminal: Terminal, check: CheckReport, *, several: bool) -> None:
    symbol, style = _mark(check, terminal.symbols)
    title = f"  {symbol} {check.title}" + (f" ({check.upstream})" if several and check.upstream else "")
    if check.result in {"success", "skipped"}:
        terminal.result(title + _detail(title, check), style)
        return
    terminal.result(title, style)
    for line in _message(terminal, check.message):
        terminal.result(line)
    if check.hint:
        terminal.result(f"{_INDENT}Try: {terminal.hint(check.hint)}")
    terminal.result(f"{_INDENT}See: {check.documentation}")


def _mark(check: CheckReport, symbols: Symbols) -> tuple[str, str]:
    return {
        "success": (symbols.ok, "green"),
        "warning": (symbols.warning, "yellow"),
        "error": (symbols.error, "bold red"),
        "skipped": (symbols.skipped, "dim"),
    }[check.result]


def _detail(title: str, check: CheckReport) -> str:
    """What follows the title: on a line of its own if both do not fit into one."""
    if not check.message:
        return ""
    skipped = check.result == "skipped"
    text = f" (skipped: {check.message})" if skipped else f": {check.message}"
    if len(title) + len(text) <= _WIDTH:
        return text
    return f"\n{_INDENT}skipped: {check.message}" if skipped else f"\n{_INDENT}{check.message}"


def _message(terminal: Terminal, message: str) -> Iterator[str]:
    """The lines of a message, without control characters from a pod's log; wrapped between words on a terminal."""
    width = terminal.stdout.width if terminal.stdout.is_terminal else len(message) + len(_INDENT)
    for line in message.splitlines():
        text = "".join(filter(str.isprintable, line))
        indent = _INDENT + " " * (len(text) - len(text.lstrip()))
        yield from textwrap.wrap(
            text.strip(),
            max(width, _WIDTH // 2),
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )


def _print_summary(terminal: Terminal, checks: Sequence[CheckReport]) -> None:
    counts = {result: sum(check.result == result for check in checks) for result in ("success", "error", "warning")}
    skipped = len(checks) - sum(counts.values())
    warnings = f"{counts['warning']} warning{'s' * (counts['warning'] != 1)}"
    text = f"{counts['success']} passed, {counts['error']} failed, {warnings}, {skipped} skipped"
    failed = dict.fromkeys(check.id for check in checks if check.result == "error")
    if not failed:
        terminal.result(f"{terminal.symbols.ok} {text}", "bold green")
        return
    terminal.result(f"{terminal.symbols.error} {text}", "bold red")
    for line in textwrap.wrap(f"failed: {', '.join(failed)}", _WIDTH - 2, break_on_hyphens=False):
        terminal.result(f"  {line}", "bold red")
