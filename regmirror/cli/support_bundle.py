"""``regmirror support-bundle``: an archive for troubleshooting, without secrets."""

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
    image_registry: options.ImageRegistry = "",
    helm: options.Helm = "helm",
    resolve: options.Resolve = [],  # noqa: B006 - typer copies it
    ca_file: options.CaFile = None,
    output_file: Annotated[
        Path | None,
        typer.Option(
            "--output-file",
            help="Archive to write. Default: regmirror-support-TIME.tar.gz.",
            show_default=False,
        ),
    ] = None,
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Collect objects, events, logs, reports and versions for troubleshooting, with secrets redacted.

    Review the archive before you share it. OMITTED.txt in it lists what is missing and what was redacted.

        regmirror support-bundle
        regmirror support-bundle --output-file mirror.tar.gz
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from datetime import UTC, datetime

        from regmirror.cli.connections import CommandConnections, read_source
        from regmirror.support.archive import require_new_file, write_archive
        from regmirror.support.collect import Sources, collect
        from regmirror.support.values import local_secret_values, rendered_values
        from regmirror.verify.live_mirror import LiveMirror

        connections = CommandConnections(
            file,
            namespace,
            image_registry=image_registry,
            kubeconfig=kubeconfig,
            context=context,
            helm=helm,
            resolve=resolve,
            ca_file=ca_file,
        )
        now = datetime.now(UTC)
        path = output_file or Path(f"regmirror-support-{now:%Y%m%d-%H%M%S}.tar.gz")
        require_new_file(path)
        streams.info("Collecting; this takes up to a minute.")
        bundle = collect(
            Sources(
                LiveMirror(connections, lambda: datetime.now(UTC)),
                "regmirror.yaml",
                read_source(file),
                versions=lambda: _versions(connections),
                releases=lambda: _releases(connections),
                values=lambda: rendered_values(connections, now),
                local_secrets=lambda: local_secret_values(connections, now),
            )
        )
        write_archive(bundle, path, now)
        _show(streams, bundle, path)


def _releases(connections: "Connections") -> list[dict[str, Any]]:
    """What ``helm list`` shows."""
    import asyncio
    from dataclasses import asdict

    return [asdict(release) for release in asyncio.run(connections.helm.releases())]


def _versions(connections: "Connections") -> dict[str, Any]:
    """The versions of regmirror, Python, the system, Kubernetes and Helm."""
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
    remote: dict[str, Callable[[], tuple[int, int]]] = {
        "kubernetes": cluster.version,
        "helm": lambda: asyncio.run(helm.version()),
    }
    for name, read in remote.items():
        try:
            versions[name] = ".".join(map(str, read()))
        except RegmirrorError as error:
            versions[name] = f"unknown: {error.message}"
    return versions


def _show(streams: Terminal, bundle: "Bundle", path: Path) -> None:
    from regmirror.support.report import bundle_report

    report = bundle_report(bundle, path)
    if streams.output is not Format.TABLE:
        streams.document(report.document())
        return
    streams.result(f"{streams.symbols.ok} {path}: {len(report.files)} files", "green")
    streams.result("Omitted:", "bold")
    for line in report.omitted:
        streams.result(f"  {line}")
