"""``regmirror destroy``: takes the mirror away, and its data only when asked for by itself."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE, Format
from regmirror.cli.terminal import Terminal, terminal
from regmirror.errors import ConfigurationError

if TYPE_CHECKING:
    from regmirror.destroy.run import Removal


def destroy(
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    helm: options.Helm = "helm",
    timeout: options.Timeout = "5m",
    purge_data: Annotated[
        bool, typer.Option("--purge-data", help="Delete what the mirror has cached in the bucket, too.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the host's name.")] = False,
    confirm_purge: Annotated[
        str | None,
        typer.Option("--confirm-purge", metavar="BUCKET", help="Do not ask for the bucket's name before --purge-data."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what goes and what stays.")] = False,
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Remove the mirror: its Helm releases and Secrets, and the namespace if deploy has made it and it is empty.

    Lists what goes and what stays, and asks for the host's name. The bucket
    stays, and so does its data unless --purge-data is given. Running it again
    goes on where it stopped.

        regmirror destroy --dry-run
        regmirror destroy
        regmirror destroy --yes --purge-data --confirm-purge my-mirror
    """
    with terminal(output, debug=debug, no_color=no_color, resumes=not dry_run) as streams:
        from regmirror.cli.connections import CommandConnections, read_timeout, run_until_done
        from regmirror.cli.progress import StepProgress
        from regmirror.destroy.run import plan_removal

        connections = CommandConnections(file, namespace, kubeconfig=kubeconfig, context=context, helm=helm)
        limit = read_timeout(timeout)
        host = connections.mirror.host
        removal = run_until_done(plan_removal(connections, purge_data=purge_data))
        if dry_run or removal.is_empty:
            _show(streams, removal, removal.report([], []))
            return
        if output is Format.TABLE:
            _list(streams, removal)
        _confirm(
            streams,
            connections.mirror.host,
            "the mirror's host",
            "--yes",
            given=connections.mirror.host if yes else None,
        )
        if removal.data:
            _confirm(
                streams, removal.data.bucket, "the bucket, to delete its data", "--confirm-purge", given=confirm_purge
            )
        with StepProgress(streams) as progress:
            report = run_until_done(removal.execute(progress, limit))
        if output is not Format.TABLE:
            streams.document(report)
        streams.info(f"https://{host} is removed.")


def _confirm(streams: Terminal, name: str, what: str, option: str, *, given: str | None) -> None:
    """Raises ConfigurationError unless the name is given, or typed at a terminal."""
    if given is None:
        if not sys.stdin.isatty():
            raise ConfigurationError(
                f"there is no terminal to ask for the name of {what}: nothing was removed",
                hint=f"look at what goes by --dry-run, then give {option}",
            )
        from rich.prompt import Prompt

        given = Prompt.ask(f"Type the name of {what}, to go on", console=streams.stderr, default="", show_default=False)
    if given != name:
        raise ConfigurationError(f"that is not {name}, the name of {what}: nothing was removed")


def _show(streams: Terminal, removal: "Removal", report: dict[str, Any]) -> None:
    if streams.output is not Format.TABLE:
        streams.document(report)
    elif not removal.is_empty:
        _list(streams, removal)
    if removal.is_empty:
        streams.info(f"There is nothing of https://{report['host']} in namespace {report['namespace']}.")


def _list(streams: Terminal, removal: "Removal") -> None:
    report = removal.report([], [])
    context = removal.connections.cluster.context
    streams.result(f"In namespace {report['namespace']}, context {context}, goes:", "bold")
    for line in report["goes"]:
        streams.result(f"  - {line}", "red")
    if data := report["data"]:
        least = "" if data["complete"] else "at least "
        size = f"{least}{data['objects']:,} objects of {least}{data['bytes']:,} bytes"
        streams.result(f"  - data: {size} below {', '.join(data['prefixes'])} in the bucket {data['bucket']}", "red")
    streams.result("What stays:", "bold")
    for line in report["stays"]:
        streams.result(f"  = {line}", "green")
