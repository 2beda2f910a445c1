"""``regmirror client-config``: the files with which a container runtime pulls through the mirror."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regmirror.cli import completion, options
from regmirror.cli.options import DEFAULT_FILE, Format, Runtime
from regmirror.cli.terminal import Terminal, terminal
from regmirror.errors import ExitCode

if TYPE_CHECKING:
    from regmirror.cli.client_files import Authority, WriteTarget
    from regmirror.client_config.setup import ClientOptions


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
    user: Annotated[
        str,
        typer.Option(
            "--user",
            metavar="NAME",
            help="Log in to the mirror with this account. The files have a placeholder for its password.",
            show_default=False,
        ),
    ] = "",
    check: Annotated[
        bool,
        typer.Option("--check", help="Check the files of this machine instead of printing any. Changes nothing."),
    ] = False,
    root: Annotated[
        Path | None,
        typer.Option(
            "--root",
            metavar="DIR",
            help="With --check: read the files below DIR instead of /, such as a mounted disk image.",
            show_default=False,
        ),
    ] = None,
    daemonset: Annotated[
        bool,
        typer.Option(
            "--daemonset",
            help="Print a DaemonSet that writes the files on every node once the mirror works from there. Only for "
            "containerd.",
        ),
    ] = False,
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

    With --check, reads the files of this machine as the runtime does, and
    reports what keeps the mirror from being used. Run it as root, or as the
    user of the runtime; it needs no cluster. Exits with 0 if there is no error
    (warnings are allowed), with 1 otherwise.

    With --daemonset, prints manifests for a namespace of their own. Their pods
    are privileged: they write to the file system of the node.

        regmirror client-config containerd
        regmirror client-config k3s --ca-file ca.crt --output-dir node
        regmirror client-config containerd --registry proxy=docker.io
        regmirror client-config k3s --user ci-robot
        regmirror client-config containerd --check --ca-file ca.crt
        regmirror client-config containerd --daemonset | kubectl apply -f -
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from regmirror.cli.client_files import (
            WriteTarget,
            find_authority,
            parse_registries,
            parse_user,
            read_certificates,
        )
        from regmirror.cli.client_options import refuse_combinations
        from regmirror.cli.command_line import command_line
        from regmirror.cli.connections import CommandConnections
        from regmirror.client_config.registries import mirrored_registries
        from regmirror.client_config.setup import ClientOptions

        refuse_combinations(runtime, check=check, root=root, daemonset=daemonset, output_dir=output_dir, force=force)
        connections = CommandConnections(file, namespace, kubeconfig=kubeconfig, context=context)
        registries = mirrored_registries(connections.mirror, parse_registries(registry))
        clients = ClientOptions(registries, read_certificates(ca_file) if ca_file else "", parse_user(user))
        if daemonset:
            from regmirror.cli.node_files import print_daemon_set

            print_daemon_set(streams, connections, parse_registries(registry), clients, ca_file)
            return
        if not check:
            overwrite = command_line(invoked, force=True)
            target = WriteTarget(output_dir, overwrite, force=force)
            _print_files(streams, runtime, find_authority(connections, ca_file), clients, target)
            return
        from regmirror.cli.client_check import check_client

        if not check_client(streams, runtime.value, connections.mirror, clients, root or Path("/")):
            raise typer.Exit(ExitCode.FAILED)


def _print_files(
    streams: Terminal, runtime: Runtime, authority: "Authority", options: "ClientOptions", target: "WriteTarget"
) -> None:
    """Print the files of the runtime, or write them below --output-dir."""
    from dataclasses import replace

    from regmirror.cli.client_files import print_setup, write_files
    from regmirror.client_config.catalog import RUNTIMES
    from regmirror.client_config.report import client_configuration

    setup = RUNTIMES[runtime.value](replace(options, ca_pem=authority.pem))
    written = write_files(setup.files, target) if target.directory else {}
    if streams.output is Format.TABLE:
        print_setup(streams, setup, authority, written)
    else:
        streams.document(client_configuration(runtime.value, options.registries, setup, written).document())
