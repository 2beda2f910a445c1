"""``regmirror diff``: how the cluster differs from the configuration; and how ``deploy --dry-run`` tells the same."""

from typing import Annotated, Any

import typer

from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE, Format
from regmirror.cli.terminal import Terminal, terminal
from regmirror.errors import ExitCode, RegmirrorError

_DIFFERS = 1
_ERROR = 3


def diff(
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    helm: options.Helm = "helm",
    skip_bucket: Annotated[bool, typer.Option("--skip-bucket", help="Do not look at the S3 bucket.")] = False,
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Show how the cluster differs from the file; nothing is changed.

    What is marked as drift was changed in the cluster since the last
    deployment. Secrets are named, never shown. Leaves with 0 where nothing
    differs, 1 where something does, 2 for wrong usage, 3 for an error.

        regmirror diff
        regmirror diff -o json
    """
    with terminal(output, debug=debug, no_color=no_color, exit_code=exit_code_of_diff) as streams:
        from regmirror.cli.connections import CommandConnections, run_until_done
        from regmirror.deploy.diff import diff_mirror

        connections = CommandConnections(file, namespace, kubeconfig=kubeconfig, context=context, helm=helm)
        tell(streams, run_until_done(diff_mirror(connections, skip_bucket=skip_bucket)))


def exit_code_of_diff(error: RegmirrorError) -> int:
    """2 for what the user can mend in the command, the file or its secrets; 3 for other faults: 1 means differences."""
    return error.exit_code if error.exit_code in {ExitCode.USAGE, ExitCode.INTERRUPTED} else _ERROR


def tell(streams: Terminal, report: dict[str, Any]) -> None:
    """Show a diff, and leave with its code."""
    from regmirror.cli.diff_table import show_diff

    if streams.output is not Format.TABLE:
        streams.document(report)
    else:
        show_diff(streams, report)
    if report["differs"]:
        streams.info("Bring the cluster to the file: regmirror deploy")
        raise typer.Exit(_DIFFERS)
    streams.info(f"No difference: https://{report['host']} is deployed as the file says.")
