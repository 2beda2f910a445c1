"""Shows the result of ``regmirror access test``: one line for each expectation, and the decision below a wrong one."""

from regmirror.access.report import AccessTestReport, ExpectationResult
from regmirror.access.words import outcome_of, subject_of
from regmirror.cli.terminal import Terminal


def print_results(streams: Terminal, report: AccessTestReport, *, short: bool) -> None:
    """Print the results and a summary; ``short`` omits what is as expected."""
    for result in report.results:
        if not (short and result.is_met):
            _print(streams, report, result)
    text = f"{len(report.results) - report.failed} as expected, {report.failed} not"
    symbol, style = (streams.symbols.error, "bold red") if report.failed else (streams.symbols.ok, "bold green")
    streams.result(f"{symbol} {text}", style)


def _print(streams: Terminal, report: AccessTestReport, result: ExpectationResult) -> None:
    if result.is_met:
        streams.result(f"{streams.symbols.ok} {subject_of(result)}", "green")
        return
    streams.result(f"{streams.symbols.error} {subject_of(result)} ({report.file}:{result.line})", "bold red")
    streams.result(f"    {outcome_of(result)}")
