"""The application: its commands and what ``--help`` shows of them."""

from typing import Annotated

import typer

from regmirror import __version__
from regmirror.cli import (
    client_config,
    config,
    deploy,
    destroy,
    diff,
    init,
    rbac,
    render,
    rotate_cert,
    status,
    support_bundle,
    upgrade_notes,
    verify,
)

app = typer.Typer(
    name="regmirror",
    help="Your own pull-through mirror of Docker Hub on Kubernetes: deployed, proven and kept alive.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    # A traceback with local variables would show secrets.
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"regmirror {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Your own pull-through mirror of Docker Hub on Kubernetes: deployed, proven and kept alive."""


app.command("init")(init.init)
app.command("deploy")(deploy.deploy)
app.command("diff")(diff.diff)
app.command("render")(render.render)
app.command("verify")(verify.verify)
app.command("status")(status.status)
app.command("client-config")(client_config.client_config)
app.command("rotate-cert")(rotate_cert.rotate_cert)
app.command("rbac")(rbac.rbac)
app.command("destroy")(destroy.destroy)
app.command("support-bundle")(support_bundle.support_bundle)
app.add_typer(config.app)
app.command("upgrade-notes")(upgrade_notes.upgrade_notes)
