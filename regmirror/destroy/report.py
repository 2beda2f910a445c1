"""The document of ``regmirror destroy``."""

from typing import Annotated, Literal

from pydantic import Field

from regmirror.config.documents import DocumentPart, MirrorDocument, StepReport


class DataReport(DocumentPart):
    """The data of the mirror in its bucket, as it was counted before the removal."""

    bucket: Annotated[str, Field(description="Name of the bucket.")]
    prefixes: Annotated[list[str], Field(description="Prefixes of the mirror's objects, one for each upstream.")]
    objects: Annotated[int, Field(ge=0, description="Number of objects.")]
    bytes: Annotated[int, Field(ge=0, description="Their size together.")]
    complete: Annotated[bool, Field(description="Whether all were counted; if not, there are more.")]


class DestroyReport(MirrorDocument):
    """The result of ``regmirror destroy -o json``."""

    kind: Annotated[Literal["DestroyReport"], Field(description="Kind of the document.")] = "DestroyReport"
    changed: Annotated[bool, Field(description="Whether anything was removed.")]
    dry_run: Annotated[bool, Field(description="Whether removed lists what would be removed.")]
    removed: Annotated[list[str], Field(description="What is removed from the cluster.")]
    kept: Annotated[list[str], Field(description="What is kept, and why.")]
    data: Annotated[DataReport | None, Field(description="The data that is removed; null without --purge-data.")]
    steps: Annotated[list[StepReport], Field(description="What was done; empty in a dry run.")]
