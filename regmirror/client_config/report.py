"""The document of ``regmirror client-config``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from regmirror.client_config.registries import MirroredRegistry
from regmirror.client_config.setup import ClientFile, ClientSetup
from regmirror.config.documents import DocumentPart
from regmirror.config.model import API_VERSION


class RegistryReport(DocumentPart):
    """A registry and its mirror."""

    name: Annotated[str, Field(description="The registry in image references, such as docker.io.")]
    mirror: Annotated[str, Field(description="URL of the mirror.")]


class FileReport(DocumentPart):
    """A file of the runtime."""

    path: Annotated[
        str, Field(description="Absolute path on the client, or a path relative to a directory on your machine.")
    ]
    mode: Annotated[str, Field(description="File mode, octal.")]
    may_exist: Annotated[
        bool, Field(description="Whether the client may already have this file; merge the content into it then.")
    ]
    content: Annotated[str, Field(description="Content of the file.")]
    written_to: Annotated[str | None, Field(description="Where the file was written; null without --output-dir.")]


class ClientConfiguration(DocumentPart):
    """The result of ``regmirror client-config RUNTIME -o json``."""

    api_version: Annotated[Literal["regmirror.dev/v1alpha1"], Field(description="Version of this document's format.")]
    kind: Annotated[Literal["ClientConfiguration"], Field(description="Kind of the document.")]
    runtime: Annotated[str, Field(description="Container runtime.")]
    registries: Annotated[list[RegistryReport], Field(description="Every registry that the mirror mirrors.")]
    files: Annotated[list[FileReport], Field(description="Every file that the runtime needs.")]
    steps: Annotated[list[str], Field(description="What to do once the files are in place, in order.")]
    limitations: Annotated[list[str], Field(description="What does not work with this runtime.")]


def client_configuration(
    runtime: str, registries: list[MirroredRegistry], setup: ClientSetup, written: Mapping[str, Path]
) -> ClientConfiguration:
    """The report on a setup; ``written`` has the written files, by path in the setup."""
    return ClientConfiguration(
        api_version=API_VERSION,
        kind="ClientConfiguration",
        runtime=runtime,
        registries=[RegistryReport(name=registry.name, mirror=registry.mirror) for registry in registries],
        files=[_file_report(file, written.get(file.path)) for file in setup.files],
        steps=setup.steps,
        limitations=setup.limitations,
    )


def _file_report(file: ClientFile, written: Path | None) -> FileReport:
    return FileReport(
        path=file.path,
        mode=f"{file.mode:04o}",
        may_exist=file.may_exist,
        content=file.content,
        written_to=str(written) if written else None,
    )
