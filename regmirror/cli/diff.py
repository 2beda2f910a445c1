"""``regmirror diff``: how the cluster differs from the configuration file; ``deploy --dry-run`` shows the same."""

from typing import TYPE_CHECKING, Annotated

import typer

from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE, Format
from regmirror.cli.terminal import Terminal, terminal
from regmirror.errors import ExitCode, RegmirrorError

if TYPE_CHECKING:
    from regmirror.deploy.report import DiffReport

_DIFFERS = 1
_ERROR = 3


def diff(
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    image_registry: options.ImageRegistry = "",
    helm: options.Helm = "helm",
    skip_bucket: Annotated[bool, typer.Option("--skip-bucket", help="Skip the check of the S3 bucket.")] = False,
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Show what a deployment would change, without changing anything.

    Drift is what someone changed in the cluster since the last deployment.
    Values that may be secret are not shown. Exits with 0 if nothing differs,
    1 if something differs, 2 for wrong usage, 3 for other errors, such as a
    missing Helm or a bucket that cannot be used.

        regmirror diff
        regmirror diff -o json
    """
    with terminal(output, debug=debug, no_color=no_color, exit_code=exit_code_of_diff) as streams:
        from regmirror.cli.connections import CommandConnections, run_until_done
        from regmirror.deploy.diff import diff_mirror

        connections = CommandConnections(
            file, namespace, image_registry=image_registry, kubeconfig=kubeconfig, context=context, helm=helm
        )
        report = run_until_done(diff_mirror(connections, skip_bucket=skip_bucket))
        show_diff_and_exit(streams, report, _command_that_resolves(report))


def exit_code_of_diff(error: RegmirrorError) -> int:
    """2 for what is wrong in the command, the file or its secrets; 3 for other errors, since 1 means a difference."""
    return error.exit_code if error.exit_code in {ExitCode.USAGE, ExitCode.INTERRUPTED} else _ERROR


def _command_that_resolves(report: "DiffReport") -> str:
    """Nothing but --prune removes orphans."""
    return "regmirror deploy --prune" if report.orphans else "regmirror deploy"


def show_diff_and_exit(streams: Terminal, report: "DiffReport", apply: str) -> None:
    """Show a diff, end with the command that resolves it (``apply``), and exit with 1 if something differs."""
    from regmirror.cli.diff_table import show_diff

    if streams.output is not Format.TABLE:
        streams.document(report.document())
    else:
        show_diff(streams, report)
    if report.prerequisites:
        apply = f"fix the {streams.symbols.error} lines above, then {apply}"
    if report.differs:
        streams.info(f"Next: {apply}")
        raise typer.Exit(_DIFFERS)
    streams.info("No difference." if not report.prerequisites else f"No difference. Before the next change, {apply}")
