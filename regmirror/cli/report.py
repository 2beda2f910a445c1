"""``regmirror report``: one HTML page about the mirror."""

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE, Format
from regmirror.cli.terminal import Terminal, terminal
from regmirror.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from regmirror.ports.connections import Connections
    from regmirror.report.document import HistoryReport, MirrorReport

_DEFAULT_PAGE = Path("regmirror-report.html")
_STANDARD_OUTPUT = Path("-")
_TIMEOUT = 5.0
"""Seconds without data after which a request fails: less than the time limit of any check."""
_BEGINNING = 2000
"""Bytes of a file that show whether it is a page of this command."""


def report(
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    image_registry: options.ImageRegistry = "",
    resolve: options.Resolve = [],  # noqa: B006 - typer copies it
    ca_file: options.CaFile = None,
    output_file: Annotated[
        Path | None,
        typer.Option(
            "--output-file",
            metavar="FILE",
            help="Page to write; - writes to standard output. Default: regmirror-report.html.",
            show_default=False,
        ),
    ] = None,
    prometheus: Annotated[
        str | None,
        typer.Option(
            "--prometheus",
            metavar="URL",
            envvar="REGMIRROR_PROMETHEUS",
            help="Add the history of the figures from this Prometheus server.",
        ),
    ] = None,
    since: Annotated[
        str, typer.Option("--since", metavar="DURATION", help="Length of the history, from 1h to 2160h.")
    ] = "168h",
    no_verify: Annotated[bool, typer.Option("--no-verify", help="Skip the checks of regmirror verify.")] = False,
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Write one HTML page about the mirror: health, failing checks with their fixes, use, quota, and contents.

    The page loads nothing and runs no scripts. With -o json, print its data
    instead. Exits with 0 if the report was written, also about a mirror that
    fails.

        regmirror report
        regmirror report --prometheus http://127.0.0.1:9090 --since 720h
        regmirror report -o json
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from datetime import UTC, datetime

        from regmirror.cli.connections import CommandConnections
        from regmirror.report.collect import collect_report
        from regmirror.verify.live_mirror import KubectlOptions, LiveMirror

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
        page = _page_to_write(streams, output_file)
        now = datetime.now(UTC)
        history = _history(connections, prometheus, since, now)
        streams.info("Collecting; this takes up to a minute.")
        selected = KubectlOptions(context or "", str(kubeconfig or ""))
        live = LiveMirror(connections, lambda: datetime.now(UTC), kubectl_options=selected)
        found = collect_report(live, history=history, with_checks=not no_verify)
        _write(streams, found, page)


def _page_to_write(streams: Terminal, output_file: Path | None) -> Path | None:
    """Where the page is to be written; None if only the data is wanted. Raises ConfigurationError."""
    if streams.output is not Format.TABLE:
        if output_file == _STANDARD_OUTPUT:
            raise ConfigurationError(
                "the page and its data cannot both be written to standard output",
                hint="choose another --output-file, or omit -o",
            )
        if output_file is None:
            return None
    path = output_file or _DEFAULT_PAGE
    if path != _STANDARD_OUTPUT:
        _require_writable(path)
    return path


def _require_writable(path: Path) -> None:
    """Only a page of this command is replaced."""
    from regmirror.report.page import GENERATOR

    if not path.parent.is_dir():
        raise _cannot_write(path, f"there is no directory {path.parent}")
    try:
        with path.open("rb") as existing:
            if GENERATOR.encode() not in existing.read(_BEGINNING):
                raise _cannot_write(path, "the file exists and is not a report")
    except FileNotFoundError:
        return
    except OSError as error:
        raise _cannot_write(path, str(error.strerror)) from error


def _cannot_write(path: Path, reason: str) -> ConfigurationError:
    return ConfigurationError(f"cannot write {path}: {reason}", hint="choose another file with --output-file")


def _history(
    connections: "Connections", url: str | None, since: str, now: "datetime"
) -> "Callable[[], HistoryReport] | None":
    """What reads the history, if there is a server; raises ConfigurationError."""
    from datetime import timedelta

    from pydantic import SecretStr

    from regmirror.cli.connections import read_duration
    from regmirror.report.prometheus import TOKEN_VARIABLE, Prometheus

    span = read_duration(since, "--since")
    if not timedelta(hours=1) <= span <= timedelta(days=90):
        raise ConfigurationError(f"--since: {since} is not from 1h to 2160h")
    if not url:
        return None
    token = os.environ.get(TOKEN_VARIABLE)
    server = Prometheus(url, connections.http, SecretStr(token) if token else None)
    return lambda: server.history(connections.mirror.namespace, now, span)


def _write(streams: Terminal, found: "MirrorReport", path: Path | None) -> None:
    from regmirror.report.attention import verdict
    from regmirror.report.page import report_page

    if path is not None:
        page = report_page(found, streams.hint)
        if path == _STANDARD_OUTPUT:
            streams.result(page.rstrip("\n"))
            return
        _replace(path, page)
    if streams.output is not Format.TABLE:
        streams.document(found.document())
        return
    streams.result(f"{streams.symbols.ok} {path}", "green")
    streams.result(f"  {found.host}: {verdict(found)}")


def _replace(path: Path, page: str) -> None:
    """Write the page whole or not at all; raises ConfigurationError."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        draft.write_text(page, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise _cannot_write(path, str(error.strerror)) from error
