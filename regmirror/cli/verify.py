"""``regmirror verify``: proves that the mirror does what it must, and refuses what it must."""

from typing import TYPE_CHECKING, Annotated

import typer

from regmirror.cli import completion, options
from regmirror.cli.options import DEFAULT_FILE, ReportFormat
from regmirror.cli.terminal import Terminal, terminal
from regmirror.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from regmirror.config.model import Mirror
    from regmirror.verify.check import Category, Result

_PATIENCE = 5.0
"""Seconds in which a host must go on answering: less than any check may take."""

Output = Annotated[
    ReportFormat,
    typer.Option("-o", "--output", envvar="REGMIRROR_OUTPUT", help="Form of the result; short shows faults alone."),
]
Categories = Annotated[
    list[str],
    typer.Option(
        "--category",
        metavar="NAME",
        autocompletion=completion.categories,
        help="Only checks under this heading; repeatable.",
    ),
]
Ids = Annotated[
    list[str],
    typer.Option(
        "--check",
        metavar="ID",
        autocompletion=completion.check_ids,
        help="Only this check and those that it needs; repeatable.",
    ),
]


def verify(
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    resolve: options.Resolve = [],  # noqa: B006 - typer copies it
    ca_file: options.CaFile = None,
    image: Annotated[
        str | None, typer.Option("--image", metavar="NAME", help="Pull this image, such as library/alpine:3.")
    ] = None,
    pre: Annotated[bool, typer.Option("--pre", help="Only what can be asked before the first deploy.")] = False,
    category: Categories = [],  # noqa: B006 - typer copies it
    check: Ids = [],  # noqa: B006 - typer copies it
    wait: Annotated[
        str, typer.Option("--wait", metavar="DURATION", help="Repeat for so long until no check fails: 30s, 5m.")
    ] = "0",
    output: Output = ReportFormat.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Prove the mirror: what must be allowed is, and what must be denied is.

    Leaves with 0 where every check passed or only warned, with 1 where one failed. Every check is explained in
    docs/checks.md.

        regmirror verify --image library/alpine:3
        regmirror verify --pre
        regmirror verify --category token --wait 1m -o json
    """
    with terminal(output.of_errors, debug=debug, no_color=no_color) as streams:
        from datetime import UTC, datetime

        from regmirror.cli.connections import CommandConnections, read_timeout
        from regmirror.distribution.reference import parse_image
        from regmirror.verify.checks import CHECKS
        from regmirror.verify.live_mirror import LiveMirror
        from regmirror.verify.patience import run_until_healthy
        from regmirror.verify.run import is_healthy, run_checks
        from regmirror.verify.select import select_checks

        checks = select_checks(CHECKS, check, _categories(category), before_deploy=pre)
        patience = read_timeout(wait, "--wait")
        connections = CommandConnections(
            file,
            namespace,
            kubeconfig=kubeconfig,
            context=context,
            resolve=resolve,
            ca_file=ca_file,
            timeout=_PATIENCE,
        )
        mirror = connections.mirror
        chosen_image = parse_image(image) if image else None

        def new_live_mirror() -> LiveMirror:
            return LiveMirror(connections, lambda: datetime.now(UTC), chosen_image)

        if patience:
            results = run_until_healthy(checks, new_live_mirror, patience, streams.info)
            _print(streams, output, mirror, iter(results))
        else:
            results = _print(streams, output, mirror, run_checks(checks, new_live_mirror()))
        if not is_healthy(results):
            raise typer.Exit(ExitCode.FAILED)


def _categories(names: list[str]) -> "list[Category]":
    from regmirror.errors import ConfigurationError
    from regmirror.verify.check import Category

    known = {category.value: category for category in Category}
    for name in names:
        if name not in known:
            raise ConfigurationError(f'--category: there is no "{name}"', hint=f"there are: {', '.join(known)}")
    return [known[name] for name in names]


def _print(streams: Terminal, output: ReportFormat, mirror: "Mirror", stream: "Iterator[Result]") -> "list[Result]":
    """Print results, the table's as they come; gives them all."""
    from regmirror.cli.verify_table import print_results
    from regmirror.verify.junit import junit_report
    from regmirror.verify.report import verify_report

    if output in {ReportFormat.TABLE, ReportFormat.SHORT}:
        short = output is ReportFormat.SHORT
        return print_results(streams, stream, several=len(mirror.upstreams) > 1, short=short)
    results = list(stream)
    if output is ReportFormat.JUNIT:
        streams.result(junit_report(mirror, results))
    else:
        streams.document(verify_report(mirror, results))
    return results
