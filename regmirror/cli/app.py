"""The application: ``regmirror`` with its commands, and the options that may be given before a command."""

from pathlib import Path
from typing import Annotated

import typer

from regmirror import __version__
from regmirror.cli import completion
from regmirror.cli.root import RootGroup

app = typer.Typer(
    name="regmirror",
    cls=RootGroup,
    no_args_is_help=True,
    # Help and usage errors are plain text: they look the same in a terminal, a pipe and a log, and need no Rich.
    rich_markup_mode=None,
    # A traceback with local variables would show secrets.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"regmirror {__version__}")
        raise typer.Exit


# The values go to the command, which has their environment variables and defaults: see RootGroup.
@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    file: Annotated[
        Path | None, typer.Option("-f", "--file", metavar="FILE", help="Configuration file. Default: regmirror.yaml.")
    ] = None,
    kubeconfig: Annotated[Path | None, typer.Option("--kubeconfig", metavar="FILE", help="Kubeconfig file.")] = None,
    context: Annotated[
        str | None,
        typer.Option("--context", metavar="NAME", help="Kubeconfig context.", autocompletion=completion.contexts),
    ] = None,
    namespace: Annotated[
        str | None, typer.Option("-n", "--namespace", metavar="NAME", help="Kubernetes namespace.")
    ] = None,
    image_registry: Annotated[
        str | None,
        typer.Option("--image-registry", metavar="HOST[/PATH]", help="Registry of the mirror's own images."),
    ] = None,
    helm: Annotated[
        str | None, typer.Option("--helm", metavar="PROGRAM", help="Name or path of the Helm executable.")
    ] = None,
    resolve: Annotated[
        list[str], typer.Option("--resolve", metavar="HOST:PORT:ADDR", help="Connect to this address instead of DNS.")
    ] = [],  # noqa: B006 - typer copies it
    ca_file: Annotated[
        Path | None, typer.Option("--ca-file", metavar="FILE", help="CA certificates to trust for the public host.")
    ] = None,
    timeout: Annotated[str | None, typer.Option("--timeout", metavar="DURATION", help="Maximum time to wait.")] = None,
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="FORMAT", help="Output format: table, json or yaml.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Print the traceback if the command fails.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="Print no colors and no escape sequences.")] = False,
) -> None:
    """Run your own pull-through mirror of Docker Hub on Kubernetes.

    regmirror init
    regmirror deploy
    regmirror verify
    """
