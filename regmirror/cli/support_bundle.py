"""``regmirror support-bundle``: an archive for whoever helps, without secrets."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE, Format
from regmirror.cli.terminal import Terminal, terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from regmirror.ports.connections import Connections
    from regmirror.support.bundle import Bundle


def support_bundle(
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    helm: options.Helm = "helm",
    resolve: options.Resolve = [],  # noqa: B006 - typer copies it
    ca_file: options.CaFile = None,
    output_file: Annotated[
        Path | None,
        typer.Option("--output-file", help="The archive; else regmirror-support-TIME.tar.gz.", show_default=False),
    ] = None,
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Pack what someone needs who helps you: objects, events, logs, verify, status, versions; no secret value.

    Look it through before you hand it on: LEFT-OUT.txt in it says what is missing and what was blotted out.

        regmirror support-bundle
        regmirror support-bundle --output-file mirror.tar.gz
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from datetime import UTC, datetime

        from regmirror.cli.connections import CommandConnections, read_source
        from regmirror.support.archive import write_archive
        from regmirror.support.collect import Sources, collect
        from regmirror.support.values import known_here, rendered_values
        from regmirror.verify.live_mirror import LiveMirror

        connections = CommandConnections(
            file, namespace, kubeconfig=kubeconfig, context=context, helm=helm, resolve=resolve, ca_file=ca_file
        )
        now = datetime.now(UTC)
        path = output_file or Path(f"regmirror-support-{now:%Y%m%d-%H%M%S}.tar.gz")
        streams.info("Collecting; this takes some seconds, and a minute where something hangs.")
        bundle = collect(
            Sources(
                LiveMirror(connections, lambda: datetime.now(UTC)),
                "regmirror.yaml",
                read_source(file),
                versions=lambda: _versions(connections),
                values=lambda: rendered_values(connections, now),
                own_secrets=lambda: known_here(connections, now),
            )
        )
        write_archive(bundle, path, now)
        _show(streams, bundle, path)


def _versions(connections: "Connections") -> dict[str, Any]:
    """Of regmirror, what it runs on, and what it talks to; what cannot be asked says why."""
    import asyncio
    import platform

    from regmirror import __version__
    from regmirror.errors import RegmirrorError

    cluster, helm = connections.cluster.blocking, connections.helm
    versions = {
        "regmirror": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "context": cluster.context,
        "namespace": cluster.namespace,
    }
    asked: dict[str, Callable[[], tuple[int, int]]] = {
        "kubernetes": cluster.version,
        "helm": lambda: asyncio.run(helm.version()),
    }
    for name, ask in asked.items():
        try:
            versions[name] = ".".join(map(str, ask()))
        except RegmirrorError as error:
            versions[name] = f"unknown: {error.message}"
    return versions


def _show(streams: Terminal, bundle: "Bundle", path: Path) -> None:
    from regmirror.support.report import bundle_report

    if streams.output is not Format.TABLE:
        streams.document(bundle_report(bundle, path))
        return
    streams.result(f"{streams.symbols.ok} {path}: {len(bundle.files)} files", "green")
    streams.result("Left out:", "bold")
    for line in bundle.left_out:
        streams.result(f"  {line}")
