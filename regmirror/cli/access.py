"""``regmirror access``: tests of the access rules."""

from pathlib import Path
from typing import Annotated

import typer

from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE, ReportFormat
from regmirror.cli.terminal import terminal
from regmirror.cli.why import exit_code_of_answer
from regmirror.errors import ExitCode

app = typer.Typer(
    name="access",
    help="Test the access rules of the configuration file. Needs no cluster.",
    no_args_is_help=True,
)


@app.callback()
def access() -> None:
    """Test the access rules of the configuration file. Needs no cluster."""


@app.command("test")
def test(
    expectations: Annotated[Path, typer.Argument(metavar="EXPECTATIONS", help="File with the expectations.")],
    file: options.File = DEFAULT_FILE,
    output: Annotated[
        ReportFormat,
        typer.Option(
            "-o", "--output", envvar="REGMIRROR_OUTPUT", help="Output format; short shows only what is not as expected."
        ),
    ] = ReportFormat.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Compare the configuration file with a table of who may pull what.

    The table is a YAML list; every entry names an image and whether it is allowed, and optionally a client: user,
    groups, signedIn, from. Exits with 0 if everything is as expected, 1 if something is not, 2 if a file is invalid,
    and 3 for any other error, such as a full disk.

        regmirror access test expectations.yaml
        regmirror access test expectations.yaml -o junit > access.xml
    """
    with terminal(output.of_errors, debug=debug, no_color=no_color, exit_code=exit_code_of_answer) as streams:
        from regmirror.access.expectations import check_expectations, read_expectations
        from regmirror.access.junit import access_junit
        from regmirror.access.rules import RuleBook
        from regmirror.cli.access_table import print_results
        from regmirror.cli.connections import read_configuration, read_source
        from regmirror.config.load import parse_file

        mirror = read_configuration(file)
        rules = RuleBook(mirror, parse_file(read_source(file), str(file))[1], str(file))
        table = read_expectations(expectations)
        report = check_expectations(mirror, rules, table)
        if output is ReportFormat.JUNIT:
            streams.result(access_junit(report))
        elif output in {ReportFormat.TABLE, ReportFormat.SHORT}:
            print_results(streams, report, short=output is ReportFormat.SHORT)
        else:
            streams.document(report.document())
        if report.failed:
            raise typer.Exit(ExitCode.FAILED)
