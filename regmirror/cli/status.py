"""``regmirror status``: one screen about how the mirror is doing."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE, Format
from regmirror.cli.terminal import Terminal, terminal
from regmirror.errors import ExitCode

if TYPE_CHECKING:
    from regmirror.status.findings import Status


def status(
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    resolve: options.Resolve = [],  # noqa: B006 - typer copies it
    ca_file: options.CaFile = None,
    watch: Annotated[bool, typer.Option("-w", "--watch", help="Look again and again, until Ctrl-C.")] = False,
    interval: Annotated[str, typer.Option("--interval", metavar="DURATION", help="How often to look.")] = "5s",
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Show how the mirror is doing: components, certificates, cache, bucket, pulls left at the upstream.

    Leaves with 0 while it serves, with 1 where a component is down. What cannot be seen is unknown, with the reason.

        regmirror status
        regmirror status --watch
        regmirror status -o json
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from datetime import UTC, datetime

        from regmirror.cli.connections import CommandConnections, read_timeout
        from regmirror.status.collect import look
        from regmirror.verify.live_mirror import LiveMirror

        connections = CommandConnections(
            file, namespace, kubeconfig=kubeconfig, context=context, resolve=resolve, ca_file=ca_file
        )
        pause = read_timeout(interval, "--interval").total_seconds()

        def see() -> "Status":
            # A LiveMirror keeps what it has read, so each look needs a new one.
            return look(LiveMirror(connections, lambda: datetime.now(UTC)))

        seen = _watch(streams, see, pause) if watch else _show(streams, see())
        if seen.faults:
            raise typer.Exit(ExitCode.FAILED)


def _watch(streams: Terminal, see: Callable[[], "Status"], pause: float) -> "Status":
    """Look and show until Ctrl-C, which is how one leaves; gives what was seen last."""
    seen = see()
    with suppress(KeyboardInterrupt):
        while True:
            if streams.stdout.is_terminal:
                streams.stdout.clear()
            elif streams.output is Format.YAML:
                streams.result("---")
            _show(streams, seen)
            time.sleep(pause)
            seen = see()
    return seen


def _show(streams: Terminal, seen: "Status") -> "Status":
    from regmirror.cli.status_table import print_status
    from regmirror.status.report import status_report

    if streams.output is Format.TABLE:
        print_status(streams, seen)
    else:
        streams.document(status_report(seen))
    return seen
