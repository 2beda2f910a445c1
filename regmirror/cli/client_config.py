"""``regmirror client-config``: the files with which a container runtime pulls through the mirror."""

from pathlib import Path
from typing import Annotated

import typer

from regmirror.cli import completion, options
from regmirror.cli.options import DEFAULT_FILE, Format, Runtime
from regmirror.cli.terminal import terminal


def _parse_runtime(name: str) -> Runtime:
    """The runtime of a name; a typo or ``docker`` gets a suggestion."""
    if name in list(Runtime):
        return Runtime(name)
    import difflib

    close = difflib.get_close_matches(name, list(Runtime), n=1)
    suggestion = f" Did you mean '{close[0]}'?" if close else ""
    raise typer.BadParameter(f"'{name}' is not one of {', '.join(Runtime)}.{suggestion}")


_complete_runtime = completion.completion(lambda _: list(Runtime))


def client_config(
    invoked: typer.Context,
    runtime: Annotated[
        Runtime,
        typer.Argument(
            metavar="RUNTIME",
            parser=_parse_runtime,
            autocompletion=_complete_runtime,
            help="Container runtime to configure.",
            show_default=False,
        ),
    ],
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    ca_file: Annotated[
        Path | None,
        typer.Option(
            "--ca-file",
            metavar="FILE",
            envvar="REGMIRROR_CA_FILE",
            help="Trust the CA certificates in this PEM file for the mirror.",
            show_default=False,
        ),
    ] = None,
    registry: Annotated[
        list[str],
        typer.Option(
            "--registry",
            metavar="UPSTREAM=NAME",
            autocompletion=completion.registries,
            help="Registry name that clients use for an upstream, e.g. docker.io if the upstream is a proxy of it; "
            "repeatable.",
        ),
    ] = [],  # noqa: B006 - typer copies it
    output_dir: Annotated[
        Path | None,
        typer.Option("--output-dir", metavar="DIR", help="Write the files below this directory.", show_default=False),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite files in --output-dir that have different content.")
    ] = False,
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Print the configuration files that make a container runtime pull through the mirror.

    Prints their paths and contents, the steps that put them into effect, and
    the limitations of the runtime. Needs no cluster, except with
    ingress.selfSigned and without --ca-file: the CA is read from there.

        regmirror client-config containerd
        regmirror client-config k3s --ca-file ca.crt --output-dir node
        regmirror client-config containerd --registry proxy=docker.io
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from regmirror.cli.client_files import find_authority, parse_registries, print_setup, write_files
        from regmirror.cli.command_line import command_line
        from regmirror.cli.connections import CommandConnections
        from regmirror.client_config.catalog import RUNTIMES
        from regmirror.client_config.registries import mirrored_registries
        from regmirror.client_config.report import client_configuration

        connections = CommandConnections(file, namespace, kubeconfig=kubeconfig, context=context)
        registries = mirrored_registries(connections.mirror, parse_registries(registry))
        authority = find_authority(connections, ca_file)
        setup = RUNTIMES[runtime.value](registries, authority.pem)
        overwrite = command_line(invoked, force=True)
        written = write_files(setup.files, output_dir, overwrite, force=force) if output_dir else {}
        if streams.output is Format.TABLE:
            print_setup(streams, setup, authority, written)
        else:
            report = client_configuration(runtime.value, registries, setup, written)
            streams.document(report.document())
