"""``regmirror verify``: checks that the mirror serves what it must, and refuses what it must."""

from typing import TYPE_CHECKING, Annotated

import typer

from regmirror.cli import completion, options
from regmirror.cli.options import DEFAULT_FILE, ReportFormat
from regmirror.cli.terminal import Terminal, terminal
from regmirror.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from regmirror.ports.connections import Connections
    from regmirror.verify.check import Category, Result

_TIMEOUT = 5.0
"""Seconds without data after which a request fails: less than the time limit of any check."""

Output = Annotated[
    ReportFormat,
    typer.Option(
        "-o", "--output", envvar="REGMIRROR_OUTPUT", help="Output format; short shows only failures and warnings."
    ),
]
Categories = Annotated[
    list[str],
    typer.Option(
        "--category",
        metavar="NAME",
        autocompletion=completion.categories,
        help="Run only the checks of this category; repeatable.",
    ),
]
Ids = Annotated[
    list[str],
    typer.Option(
        "--check",
        metavar="ID",
        autocompletion=completion.check_ids,
        help="Run only this check and those it needs; repeatable.",
    ),
]


def verify(
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    image_registry: options.ImageRegistry = "",
    resolve: options.Resolve = [],  # noqa: B006 - typer copies it
    ca_file: options.CaFile = None,
    image: Annotated[
        str | None,
        typer.Option("--image", metavar="NAME", help="Pull this image, e.g. library/alpine:3. Default: probeImage."),
    ] = None,
    pre: Annotated[bool, typer.Option("--pre", help="Run only the pre-install checks.")] = False,
    category: Categories = [],  # noqa: B006 - typer copies it
    check: Ids = [],  # noqa: B006 - typer copies it
    wait: Annotated[
        str | None,
        typer.Option("--wait", metavar="DURATION", help="Retry until no check fails, for at most this long (e.g. 5m)."),
    ] = None,
    output: Output = ReportFormat.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Check that the mirror works: allowed images can be pulled, and everything else is denied.

    Changes nothing. Exits with 0 if no check fails (warnings are allowed),
    with 1 if a check fails, with 2 if an option or the file is invalid.

        regmirror verify --image library/alpine:3
        regmirror verify --pre
        regmirror verify --category token --wait 1m -o json
    """
    with terminal(output.of_errors, debug=debug, no_color=no_color) as streams:
        from datetime import UTC, datetime

        from regmirror.cli.connections import CommandConnections, read_duration
        from regmirror.verify.checks import CHECKS
        from regmirror.verify.live_mirror import KubectlOptions, LiveMirror
        from regmirror.verify.run import is_healthy, run_checks, run_until_healthy
        from regmirror.verify.sample_pull import parse_image
        from regmirror.verify.select import select_checks

        checks = select_checks(CHECKS, check, _categories(category), pre_install=pre)
        wait_timeout = read_duration(wait, "--wait") if wait else None
        connections = CommandConnections(
            file,
            namespace,
            image_registry=image_registry,
            kubeconfig=kubeconfig,
            context=context,
            resolve=resolve,
            ca_file=ca_file,
            timeout=_TIMEOUT,
        )
        for_kubectl = KubectlOptions(context or "", str(kubeconfig or ""))
        chosen_image = parse_image(image) if image else None

        def new_mirror() -> LiveMirror:
            return LiveMirror(connections, lambda: datetime.now(UTC), chosen_image, for_kubectl)

        if wait_timeout:
            results = run_until_healthy(checks, new_mirror, wait_timeout, streams.info)
            _print(streams, output, connections, iter(results))
        else:
            results = _print(streams, output, connections, run_checks(checks, new_mirror()))
        if not is_healthy(results):
            raise typer.Exit(ExitCode.FAILED)


def _categories(names: list[str]) -> "list[Category]":
    from regmirror.errors import ConfigurationError
    from regmirror.verify.check import Category

    known = {category.value: category for category in Category}
    for name in names:
        if name not in known:
            raise ConfigurationError(f'--category: unknown category "{name}"', hint=f"available: {', '.join(known)}")
    return [known[name] for name in names]


def _print(
    streams: Terminal, output: ReportFormat, connections: "Connections", stream: "Iterator[Result]"
) -> "list[Result]":
    """Print the results, in a table as soon as each is known; return them all."""
    from regmirror.cli.verify_table import print_results
    from regmirror.verify.junit import junit_report
    from regmirror.verify.report import check_report, verify_report

    mirror = connections.mirror
    if output in {ReportFormat.TABLE, ReportFormat.SHORT}:
        short = output is ReportFormat.SHORT
        return print_results(streams, stream, several=len(mirror.upstreams) > 1, short=short)
    results = list(stream)
    if output is ReportFormat.JUNIT:
        streams.result(junit_report(mirror, [check_report(result, streams.hint) for result in results]))
    else:
        streams.document(verify_report(mirror, connections.cluster.context, results))
    return results
