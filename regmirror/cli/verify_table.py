"""The results of verify for people: one line a check under its category, and under a failure its cause and cure."""

from collections.abc import Iterable

from regmirror.cli.terminal import Symbols, Terminal
from regmirror.verify.check import Category, Failed, Outcome, Passed, Result, Skipped, Warned

_DOCUMENTATION = "docs/checks.md"


def print_results(terminal: Terminal, results: Iterable[Result], *, several: bool, short: bool = False) -> list[Result]:
    """Print each result as it comes, then a summary; gives them all.

    ``several`` upstreams have their names shown; ``short`` leaves out what neither failed nor warned.
    """
    kept: list[Result] = []
    category: Category | None = None
    for result in results:
        kept.append(result)
        if short and isinstance(result.outcome, (Passed, Skipped)):
            continue
        if result.check.category is not category:
            if category is not None:
                terminal.result()
            category = result.check.category
            terminal.result(category.value, "bold")
        _print_result(terminal, result, several=several)
    if category is not None:
        terminal.result()
    terminal.result(*_summary(kept, terminal.symbols))
    return kept


def _print_result(terminal: Terminal, result: Result, *, several: bool) -> None:
    symbol, style = _look(result.outcome, terminal.symbols)
    about = f" ({result.upstream})" if several and result.upstream else ""
    terminal.result(f"  {symbol} {result.check.title}{about}{_detail(result.outcome)}", style)
    if isinstance(result.outcome, (Failed, Warned)):
        for line in result.outcome.message.splitlines():
            # A pod's log may hold what would move the cursor or change colours.
            terminal.result("      " + "".join(filter(str.isprintable, line)))
        if result.outcome.hint:
            terminal.result(f"      Try: {terminal.hint(result.outcome.hint)}")
        terminal.result(f"      See: {_DOCUMENTATION}#{result.check.id}")


def _look(outcome: Outcome, symbols: Symbols) -> tuple[str, str | None]:
    match outcome:
        case Passed():
            return symbols.ok, "green"
        case Warned():
            return symbols.warning, "yellow"
        case Failed():
            return symbols.error, "bold red"
        case Skipped():
            return symbols.skipped, "dim"


def _detail(outcome: Outcome) -> str:
    match outcome:
        case Passed(detail=detail) if detail:
            return f": {detail}"
        case Skipped(reason=reason):
            return f": skipped, {reason}"
    return ""


def _summary(results: list[Result], symbols: Symbols) -> tuple[str, str]:
    failed = [result.check.id for result in results if isinstance(result.outcome, Failed)]
    warned = sum(isinstance(result.outcome, Warned) for result in results)
    skipped = sum(isinstance(result.outcome, Skipped) for result in results)
    passed = sum(isinstance(result.outcome, Passed) for result in results)
    counts = f"{passed} passed, {len(failed)} failed, {warned} warned, {skipped} skipped"
    if failed:
        return f"{symbols.error} {counts}: {', '.join(dict.fromkeys(failed))}", "bold red"
    return f"{symbols.ok} {counts}", "bold green"
