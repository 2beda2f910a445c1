"""``regmirror render``: the mirror as files for Git, without secret values."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE, Format
from regmirror.cli.terminal import Terminal, terminal
from regmirror.errors import ConfigurationError, ExitCode
from regmirror.render.output_format import OutputFormat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from regmirror.config.model import Mirror
    from regmirror.render.render import Rendering, RenderOptions
    from regmirror.render.report import RenderReport

_EXAMPLE_REPOSITORY = "https://git.example.com/infrastructure.git"


def render(
    context: typer.Context,
    file: options.File = DEFAULT_FILE,
    namespace: options.Namespace = None,
    image_registry: options.ImageRegistry = "",
    helm: options.Helm = "helm",
    output_format: Annotated[
        OutputFormat, typer.Option("--format", help="Render plain manifests, or objects for Flux or Argo CD.")
    ] = OutputFormat.MANIFESTS,
    output_dir: Annotated[
        Path | None,
        typer.Option("--output-dir", metavar="DIR", help="Write the files to this directory.", show_default=False),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Compare with the files in --output-dir and write nothing. Exits with 1 if any differs."
        ),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite files in --output-dir that render did not write.")
    ] = False,
    repository: Annotated[
        str,
        typer.Option(
            "--repository", metavar="URL", help="URL of the Git repository that holds the files.", show_default=False
        ),
    ] = "",
    revision: Annotated[
        str,
        typer.Option(
            "--revision",
            metavar="BRANCH",
            help="Branch of the repository. Default: main for Flux, HEAD for Argo CD.",
            show_default=False,
        ),
    ] = "",
    path: Annotated[
        str, typer.Option("--path", metavar="PATH", help="Path of the directory in the repository.")
    ] = "regmirror",
    argocd_project: Annotated[
        str, typer.Option("--argocd-project", metavar="NAME", help="Argo CD project of the Applications.")
    ] = "default",
    external_secrets: Annotated[
        str,
        typer.Option(
            "--external-secrets",
            metavar="[KIND/]STORE",
            help="Fill the Secrets from this secret store, with the External Secrets Operator.",
            show_default=False,
        ),
    ] = "",
    store_key: Annotated[
        str, typer.Option("--store-key", metavar="KEY", help="Entry of the secret store that holds the values.")
    ] = "regmirror",
    secrets_revision: Annotated[
        str,
        typer.Option(
            "--secrets-revision",
            metavar="TEXT",
            help="Restart the pods when this text changes, e.g. after a new password.",
            show_default=False,
        ),
    ] = "",
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Render the objects that deploy applies, for kubectl, Flux or Argo CD.

    Prints the manifests, or writes them to files. The files contain no secret
    values; the README.md among them explains how to create the Secrets. Needs
    Helm, but no cluster. The same configuration always gives the same files.

        regmirror render | kubectl diff -f -
        regmirror render --output-dir mirror
        regmirror render --format flux --output-dir mirror --path clusters/one
        regmirror render --output-dir mirror --check
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        import asyncio

        from regmirror.adapters.helm import Pyhelm3Helm
        from regmirror.cli.command_line import command_line
        from regmirror.cli.connections import read_mirror
        from regmirror.cli.rendered_files import compare_files, write_files
        from regmirror.config.find_references import secret_variables
        from regmirror.render.argocd import parse_project
        from regmirror.render.external_secrets import parse_store
        from regmirror.render.render import RenderOptions
        from regmirror.render.render import render as render_mirror
        from regmirror.render.report import render_report
        from regmirror.render.repository import parse_repository

        _check_options(context, output_format, output_dir, repository, check=check)
        mirror = read_mirror(file, namespace, image_registry)
        render_options = RenderOptions(
            output_format,
            parse_repository(repository, revision, path),
            parse_store(external_secrets, store_key) if external_secrets else None,
            secrets_revision,
            parse_project(argocd_project),
            _ca_bundles(mirror, file),
            file.resolve().parent,
        )
        program = Pyhelm3Helm(helm, None, "", mirror.namespace, secret_variables(mirror), file.resolve().parent)
        rendering = asyncio.run(render_mirror(mirror, program, render_options))
        for note in rendering.notes:
            streams.info(note)
        if output_dir is None:
            _print(streams, rendering, render_options)
        else:
            changes = compare_files(rendering.files, output_dir)
            if not check:
                write_files(rendering.files, changes, output_dir, _recorded_options(context), force=force)
            report = render_report(mirror, output_format, output_dir, changes, dry_run=check)
            _show(streams, report, len(rendering.files), command_line(context, check=False))


def _ca_bundles(mirror: "Mirror", file: Path) -> dict[str, bytes]:
    """The CA bundles that are in files; the cluster is not read, so that the result is the same everywhere."""
    from regmirror.config.ca_bundle import CaBundleResolver
    from regmirror.desired.ways_out import resolve_ca_bundles
    from regmirror.signing.ca_certificates import only_certificates

    resolver = CaBundleResolver(file.resolve().parent, None, None, only_certificates)
    return resolve_ca_bundles(mirror, resolver)


def _check_options(
    context: typer.Context, output_format: OutputFormat, output_dir: Path | None, repository: str, *, check: bool
) -> None:
    from regmirror.cli.command_line import command_line
    from regmirror.cli.rendered_files import written_options

    written = written_options(output_dir) if check and output_dir else {}
    if written and written["output_format"] != output_format:
        raise ConfigurationError(
            f"{output_dir} was rendered with --format {written['output_format']}, not {output_format}",
            hint=_complete_command(context, written),
        )
    if output_format is OutputFormat.ARGOCD and not repository:
        raise ConfigurationError(
            "--format argocd needs --repository, the URL of the Git repository that holds the files",
            hint=_complete_command(context, {"output_format": str(output_format), **written}),
        )
    if output_dir is None and (check or output_format is not OutputFormat.MANIFESTS):
        needing = "--check" if check else f"--format {output_format}"
        raise ConfigurationError(f"{needing} needs --output-dir", hint=command_line(context, output_dir="regmirror"))


def _complete_command(context: typer.Context, written: "Mapping[str, str]") -> str:
    """The command with the options of the last rendering instead of defaults, and of another format."""
    from regmirror.cli.command_line import command_line, is_given

    added = {name: value for name, value in written.items() if name == "output_format" or not is_given(context, name)}
    is_argocd = written["output_format"] == OutputFormat.ARGOCD
    if is_argocd and "repository" not in written and not is_given(context, "repository"):
        added["repository"] = _EXAMPLE_REPOSITORY
    return command_line(context, **added)


def _recorded_options(context: typer.Context) -> dict[str, str]:
    """The options that the files depend on, as far as they are on the command line; the format always."""
    from regmirror.cli.command_line import is_given
    from regmirror.cli.rendered_files import RECORDED

    return {name: str(context.params[name]) for name in RECORDED if name == "output_format" or is_given(context, name)}


def _print(streams: Terminal, rendering: "Rendering", render_options: "RenderOptions") -> None:
    from regmirror.render.files import to_yaml

    if streams.output is Format.JSON:
        streams.document({"apiVersion": "v1", "kind": "List", "items": rendering.objects})
    else:
        streams.result(to_yaml(*rendering.objects).rstrip())
    if not render_options.store:
        streams.info("Secrets with secret values are not included. To create them: regmirror render --output-dir DIR")


def _show(streams: Terminal, report: "RenderReport", files: int, update_command: str) -> None:
    if streams.output is not Format.TABLE:
        streams.document(report.document())
    else:
        for file in report.files:
            streams.result(f"{file.change:8} {report.directory}/{file.path}")
    if report.dry_run and report.changed:
        differing = "1 file differs" if len(report.files) == 1 else f"{len(report.files)} files differ"
        streams.info(f"{differing}. To update: {update_command}")
        raise typer.Exit(ExitCode.FAILED)
    streams.info(f"{report.directory} is up to date ({files} files).")
    streams.info(f"Next: read {report.directory}/README.md")
