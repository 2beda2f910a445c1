"""``regmirror images``: every image that the mirror's pods run."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE, Format
from regmirror.cli.terminal import Terminal, terminal
from regmirror.errors import ConfigurationError
from regmirror.render.copy_commands import CopyTool, copy_commands
from regmirror.render.images import DeployedImage, deployed_images


class ImagesFormat(StrEnum):
    """How the images are written to standard output."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    CYCLONEDX = "cyclonedx"

    @property
    def of_errors(self) -> Format:
        """How an error is written."""
        return {ImagesFormat.JSON: Format.JSON, ImagesFormat.YAML: Format.YAML}.get(self, Format.TABLE)


def images(
    context: typer.Context,
    copy_with: Annotated[
        CopyTool | None,
        typer.Option(
            "--copy-with",
            help="Print the commands that copy the images to the image registry.",
            show_default=False,
        ),
    ] = None,
    file: options.File = DEFAULT_FILE,
    image_registry: options.ImageRegistry = "",
    output: Annotated[
        ImagesFormat, typer.Option("-o", "--output", envvar="REGMIRROR_OUTPUT", help="Output format.")
    ] = ImagesFormat.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """List every image of the mirror's own pods, with tag, digest and purpose.

    Needs neither a cluster nor a registry. The same configuration always gives
    the same output; -o cyclonedx prints a bill of materials.

        regmirror images
        regmirror images -o cyclonedx > images.cdx.json
        regmirror images --image-registry registry.example.com --copy-with crane
    """
    with terminal(output.of_errors, debug=debug, no_color=no_color) as streams:
        from regmirror.cli.command_line import command_line
        from regmirror.cli.connections import read_configuration
        from regmirror.render.bill_of_materials import bill_of_materials
        from regmirror.render.image_report import image_list

        mirror = read_configuration(file, image_registry=image_registry)
        found = deployed_images(mirror)
        if copy_with:
            if output is not ImagesFormat.TABLE:
                raise ConfigurationError(f"--copy-with cannot be combined with -o {output}")
            if not mirror.image_registry:
                raise ConfigurationError(
                    "--copy-with needs a registry to copy to: neither imageRegistry nor --image-registry is set",
                    hint=command_line(context, image_registry="registry.example.com"),
                )
            for command in copy_commands(found, copy_with):
                streams.result(command)
        elif output is ImagesFormat.CYCLONEDX:
            streams.result(json.dumps(bill_of_materials(mirror.host, found), indent=2))
        elif output is ImagesFormat.TABLE:
            _print(streams, found)
        else:
            streams.document(image_list(mirror.host, mirror.image_registry, found).document())
        _name_unpinned(streams, found)


def _print(streams: Terminal, found: list[DeployedImage]) -> None:
    for image in found:
        streams.result(f"{image.repository}:{image.tag}" if image.tag else image.repository)
        streams.result(f"  digest  {image.digest or 'not pinned'}")
        if image.source != image.reference:
            streams.result(f"  source  {image.source}")
        for key, use in image.uses.items():
            streams.result(f"  for     {key}: {use}")


def _name_unpinned(streams: Terminal, found: list[DeployedImage]) -> None:
    keys = [key for image in found if not image.digest for key in image.uses]
    if keys:
        streams.info(f"Not pinned by digest: {', '.join(keys)}. To pin an image: NAME:TAG@sha256:...")
