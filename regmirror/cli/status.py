"""``regmirror status``: one screen about the state of the mirror."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE, Format
from regmirror.cli.terminal import Terminal, terminal
from regmirror.errors import ConfigurationError, ExitCode

if TYPE_CHECKING:
    from regmirror.status.report import StatusReport

_SHORTEST_INTERVAL = 1.0
"""Seconds: each refresh makes more than ten requests to the cluster and the public host."""


def status(
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    image_registry: options.ImageRegistry = "",
    resolve: options.Resolve = [],  # noqa: B006 - typer copies it
    ca_file: options.CaFile = None,
    watch: Annotated[bool, typer.Option("-w", "--watch", help="Refresh until Ctrl-C, on a screen of its own.")] = False,
    interval: Annotated[
        str, typer.Option("--interval", metavar="DURATION", help="Time between refreshes, at least 1s.")
    ] = "5s",
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Show the state of the mirror: components, certificates, cache hits, storage, and pulls left at the upstream.

    Exits with 0 if every component has a ready pod and no public host gives a wrong answer, with 1 otherwise, also if
    the cluster cannot be read. Values that cannot be read are shown as unknown, with the reason. With --watch and
    -o json, each line is a document; Ctrl-C exits with 130.

        regmirror status
        regmirror status --watch
        regmirror status -o json
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from datetime import UTC, datetime

        from regmirror.cli.connections import CommandConnections
        from regmirror.status.collect import collect_status
        from regmirror.status.findings import State
        from regmirror.status.report import status_report
        from regmirror.verify.live_mirror import LiveMirror

        connections = CommandConnections(
            file,
            namespace,
            image_registry=image_registry,
            kubeconfig=kubeconfig,
            context=context,
            resolve=resolve,
            ca_file=ca_file,
        )
        pause = _read_interval(interval)

        def collect() -> "StatusReport":
            # A LiveMirror caches what it has read, so each refresh needs a new one.
            return status_report(collect_status(LiveMirror(connections, lambda: datetime.now(UTC))))

        report = _watch(streams, collect, pause) if watch else _show(streams, collect())
        if report.state is State.NOT_DEPLOYED:
            streams.info("Next: regmirror deploy")
        if report.state not in {State.SERVING, State.RUNNING}:
            raise typer.Exit(ExitCode.FAILED)


def _read_interval(text: str) -> float:
    from regmirror.cli.connections import read_duration

    interval = read_duration(text, "--interval").total_seconds()
    if interval < _SHORTEST_INTERVAL:
        raise ConfigurationError(f"--interval: {text} is shorter than {_SHORTEST_INTERVAL:g}s")
    return interval


def _watch(streams: Terminal, collect: Callable[[], "StatusReport"], pause: float) -> "StatusReport":
    from regmirror.cli import status_watch

    try:
        return status_watch.watch(streams, collect, pause)
    except KeyboardInterrupt:
        # Ctrl-C is how it ends: that is no error to report.
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def _show(streams: Terminal, report: "StatusReport") -> "StatusReport":
    if streams.output is Format.TABLE:
        from regmirror.cli.status_table import print_status

        print_status(streams, report)
    else:
        streams.document(report.document())
    return report
