"""``regmirror client-config``: what a container runtime needs so that it pulls through the mirror."""

from pathlib import Path
from typing import Annotated

import typer

from regmirror.cli import completion, options
from regmirror.cli.options import DEFAULT_FILE, Format, Runtime
from regmirror.cli.terminal import terminal


def client_config(
    runtime: Annotated[Runtime, typer.Argument(help="What pulls.", show_default=False)],
    file: options.File = DEFAULT_FILE,
    ca_file: Annotated[
        Path | None,
        typer.Option("--ca-file", envvar="REGMIRROR_CA_FILE", help="The private authority of the public certificate."),
    ] = None,
    registry: Annotated[
        list[str],
        typer.Option(
            "--registry",
            metavar="UPSTREAM=NAME",
            autocompletion=completion.registries,
            help="The registry in names of images, where the upstream's URL does not tell it; repeatable.",
        ),
    ] = [],  # noqa: B006 - typer copies it
    output_dir: Annotated[
        Path | None, typer.Option("--output-dir", help="Write the files below this directory.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="With --output-dir: replace files that differ.")] = False,
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Print the files by which a container runtime pulls through the mirror. No cluster is asked.

    regmirror client-config containerd
    regmirror client-config k3s --ca-file ca.crt --output-dir node
    regmirror client-config containerd --registry hub-by-way-of-a-proxy=docker.io
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from regmirror.cli.client_files import parse_names, print_setup, read_authority, write_files
        from regmirror.cli.connections import read_mirror
        from regmirror.client_config.catalog import RUNTIMES
        from regmirror.client_config.registries import mirrored_registries
        from regmirror.client_config.report import client_report

        registries = mirrored_registries(read_mirror(file, None), parse_names(registry))
        setup = RUNTIMES[runtime.value](registries, read_authority(ca_file) if ca_file else "")
        written = write_files(setup.files, output_dir, force=force) if output_dir else []
        if streams.output is Format.TABLE:
            print_setup(streams, setup, written)
        else:
            streams.document(client_report(runtime.value, registries, setup))
