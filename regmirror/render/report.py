"""The document of ``regmirror render --output-dir``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from regmirror.config.documents import DocumentPart
from regmirror.config.model import API_VERSION, Mirror
from regmirror.render.files import Change
from regmirror.render.output_format import OutputFormat


class FileChange(DocumentPart):
    """A file that differs from what is rendered."""

    path: Annotated[str, Field(description="Path of the file, relative to the directory.")]
    change: Annotated[Change, Field(description="What render does with the file.")]


class RenderReport(DocumentPart):
    """The result of ``regmirror render --output-dir DIR -o json``."""

    api_version: Annotated[Literal["regmirror.dev/v1alpha1"], Field(description="Version of this document's format.")]
    kind: Annotated[Literal["RenderReport"], Field(description="Kind of the document.")]
    host: Annotated[str, Field(description="Public host of the mirror, with the port unless it is 443.")]
    namespace: Annotated[str, Field(description="Namespace of the mirror.")]
    format: Annotated[OutputFormat, Field(description="Format of the files, as --format.")]
    directory: Annotated[str, Field(description="Directory of the files, as --output-dir.")]
    dry_run: Annotated[bool, Field(description="True with --check: the files are compared and not written.")]
    changed: Annotated[bool, Field(description="Whether any file differs; with --check the exit code is then 1.")]
    files: Annotated[list[FileChange], Field(description="Every file that differs, sorted by path.")]


def render_report(
    mirror: Mirror, output_format: OutputFormat, directory: Path, changes: Mapping[str, Change], *, dry_run: bool
) -> RenderReport:
    """The report on the files of a directory; ``changes`` has what differs, by path."""
    return RenderReport(
        api_version=API_VERSION,
        kind="RenderReport",
        host=mirror.endpoint,
        namespace=mirror.namespace,
        format=output_format,
        directory=str(directory),
        dry_run=dry_run,
        changed=bool(changes),
        files=[FileChange(path=path, change=change) for path, change in changes.items()],
    )
