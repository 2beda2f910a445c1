"""``regmirror destroy``: removes the mirror, and its data only on request."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE, Format
from regmirror.cli.terminal import Terminal, terminal
from regmirror.errors import ConfigurationError

if TYPE_CHECKING:
    from regmirror.destroy.report import DataReport, DestroyReport


def destroy(
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    helm: options.Helm = "helm",
    timeout: options.Timeout = "5m",
    purge_data: Annotated[
        bool,
        typer.Option("--purge-data", help="Also delete the data that the mirror has cached, and its volumes."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the mirror's host name.")] = False,
    confirm_purge: Annotated[
        str | None,
        typer.Option(
            "--confirm-purge",
            metavar="BUCKET",
            help="Confirm --purge-data with the bucket name, or the namespace of volumes, instead of being asked.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be removed and kept, and remove nothing.")
    ] = False,
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Remove the mirror: its Helm releases, its Secrets, and its namespace if deploy created it.

    Lists what is removed and what is kept, then asks you to confirm by typing the mirror's host name. The bucket is
    kept, and so are the mirror's data and volumes unless --purge-data is given. Safe to run again: it continues where
    it stopped.

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
        host, url = connections.mirror.host, f"https://{connections.mirror.endpoint}"
        removal = run_until_done(plan_removal(connections, purge_data=purge_data))
        preview = removal.preview(dry_run=dry_run)
        if streams.output is Format.TABLE and not removal.is_empty:
            _list(streams, preview)
        if dry_run or removal.is_empty:
            if streams.output is not Format.TABLE:
                streams.document(preview.document())
            if removal.is_empty:
                streams.info(f"Nothing of {url} is deployed in namespace {preview.namespace}.")
            return
        purged, what = removal.purge_confirmation or ("", "")
        again = f"regmirror destroy --yes{f' --purge-data --confirm-purge {purged}' if purged else ''}"
        _confirm(streams, host, "the mirror's host name", "continue", again, given=host if yes else None)
        if purged:
            _confirm(streams, purged, what, "delete its data", again, given=confirm_purge)
        with StepProgress(streams) as progress:
            report = run_until_done(removal.execute(progress, limit))
        if streams.output is not Format.TABLE:
            streams.document(report.document())
        streams.info(f"Removed {url}.")


def _confirm(streams: Terminal, name: str, what: str, purpose: str, again: str, *, given: str | None) -> None:
    """Raises ConfigurationError unless the name is given, or typed at a terminal."""
    if given is None:
        if not sys.stdin.isatty():
            is_listed = streams.output is Format.TABLE
            review = "review the list above" if is_listed else "review the list of: regmirror destroy --dry-run"
            raise ConfigurationError(
                f"cannot ask for {what} without a terminal: nothing was removed",
                hint=f"{review}, then run: {again}",
            )
        from rich.prompt import Prompt

        given = Prompt.ask(f"Type {what} to {purpose}", console=streams.stderr, default="", show_default=False)
    if given != name:
        raise ConfigurationError(f"the name does not match {name}: nothing was removed")


def _list(streams: Terminal, preview: "DestroyReport") -> None:
    streams.result(f"Will be removed from namespace {preview.namespace} (context {preview.context}):", "bold")
    for line in preview.removed:
        streams.result(f"  - {line}", "red")
    if preview.data:
        streams.result(f"  - {_describe(preview.data)}", "red")
    streams.result("Will be kept:", "bold")
    for line in preview.kept:
        streams.result(f"  = {line}", "green")


def _describe(data: "DataReport") -> str:
    least = "" if data.complete else "at least "
    size = f"{least}{data.objects:,} objects ({least}{data.bytes:,} bytes)"
    return f"data: {size} under {', '.join(data.prefixes)} in the bucket {data.bucket}"
