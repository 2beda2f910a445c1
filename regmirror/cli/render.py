"""``regmirror render``: the mirror as files for Git, without a secret value."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE, Format, OutputFormat
from regmirror.cli.terminal import Terminal, terminal
from regmirror.errors import ConfigurationError, ExitCode

if TYPE_CHECKING:
    from regmirror.cli.rendered_files import Change
    from regmirror.render.render import Rendering, RenderOptions


def render(
    file: options.File = DEFAULT_FILE,
    namespace: options.Namespace = None,
    helm: options.Helm = "helm",
    output_format: Annotated[
        OutputFormat, typer.Option("--format", help="For whom the files are.")
    ] = OutputFormat.MANIFESTS,
    output_dir: Annotated[
        Path | None, typer.Option("--output-dir", help="Write files below this directory.", show_default=False)
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="With --output-dir: write nothing; leave with 1 where files differ.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="With --output-dir: replace files that render did not write.")
    ] = False,
    repository: Annotated[
        str, typer.Option("--repository", metavar="URL", help="The Git repository of the files.", show_default=False)
    ] = "",
    revision: Annotated[
        str, typer.Option("--revision", help="Its branch; else main for Flux, HEAD for Argo CD.", show_default=False)
    ] = "",
    path: Annotated[str, typer.Option("--path", help="Where in the repository the directory is.")] = "regmirror",
    external_secrets: Annotated[
        str,
        typer.Option(
            "--external-secrets",
            metavar="[KIND/]STORE",
            help="Have the External Secrets Operator fill the Secrets, from this store.",
            show_default=False,
        ),
    ] = "",
    store_key: Annotated[
        str, typer.Option("--store-key", help="The entry of the store that has the values.")
    ] = "regmirror",
    secrets_revision: Annotated[
        str,
        typer.Option("--secrets-revision", help="Any word; another one restarts the pods.", show_default=False),
    ] = "",
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Print everything that deploy would install, or write it as files for Argo CD, Flux or kubectl.

    Secrets are left out or stand there by reference; the README among the
    files says how to fill them. No cluster is asked, and the same
    configuration gives the same bytes.

        regmirror render | kubectl diff -f -
        regmirror render --output-dir mirror
        regmirror render --format flux --output-dir mirror --path one/mirror
        regmirror render --output-dir mirror --check
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        import asyncio

        from regmirror.adapters.helm import Pyhelm3Helm
        from regmirror.cli.connections import read_mirror
        from regmirror.render import readme
        from regmirror.render.external_secrets import parse_store
        from regmirror.render.render import RenderOptions
        from regmirror.render.render import render as render_mirror
        from regmirror.render.repository import parse_repository

        _check_options(output_format, output_dir, repository, check=check)
        render_options = RenderOptions(
            readme.OutputFormat(output_format.value),
            parse_repository(repository, revision, path),
            parse_store(external_secrets, store_key) if external_secrets else None,
            secrets_revision,
        )
        mirror = read_mirror(file, namespace)
        rendering = asyncio.run(render_mirror(mirror, Pyhelm3Helm(helm, None, "", mirror.namespace), render_options))
        if output_dir is None:
            _print(streams, rendering, render_options)
        else:
            _write(streams, rendering, output_dir, check=check, force=force)


def _check_options(output_format: OutputFormat, output_dir: Path | None, repository: str, *, check: bool) -> None:
    if output_format is OutputFormat.ARGOCD and not repository:
        raise ConfigurationError(
            "--format argocd needs --repository: an Application says where its files are",
            hint="--repository https://git.example.com/infrastructure.git --path regmirror",
        )
    if output_dir is None and (check or output_format is not OutputFormat.MANIFESTS):
        needs = "--check" if check else f"--format {output_format.value}"
        raise ConfigurationError(f"{needs} needs --output-dir", hint="--output-dir regmirror")


def _print(streams: Terminal, rendering: "Rendering", render_options: "RenderOptions") -> None:
    from regmirror.render.files import to_yaml

    if streams.output is Format.JSON:
        streams.document({"apiVersion": "v1", "kind": "List", "items": rendering.objects})
    else:
        streams.result(to_yaml(*rendering.objects).rstrip())
    if not render_options.store:
        streams.info("The Secrets with secret values are not among these: render --output-dir tells how to fill them.")


def _write(streams: Terminal, rendering: "Rendering", directory: Path, *, check: bool, force: bool) -> None:
    from regmirror.cli.rendered_files import compare_files, write_files

    changes = compare_files(rendering.files, directory)
    if not check:
        write_files(rendering.files, changes, directory, force=force)
    if streams.output is not Format.TABLE:
        streams.document(_document(directory, changes))
    else:
        for path, change in changes.items():
            streams.result(f"{change.value:8} {directory / path}")
    if check and changes:
        streams.info(f"Files that differ: {len(changes)}. Write them: the same command without --check")
        raise typer.Exit(ExitCode.FAILED)
    streams.info(f"{directory} is up to date: {len(rendering.files)} files.")
    streams.info(f"Next: read {directory}/README.md")


def _document(directory: Path, changes: "dict[str, Change]") -> dict[str, Any]:
    from regmirror.config.model import API_VERSION

    return {
        "apiVersion": API_VERSION,
        "kind": "RenderReport",
        "directory": str(directory),
        "changed": bool(changes),
        "files": [{"path": path, "change": change.value} for path, change in changes.items()],
    }
