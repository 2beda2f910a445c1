"""The document of ``regmirror support-bundle``."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from regmirror.config.documents import Document
from regmirror.support.archive import OMITTED_FILE
from regmirror.support.bundle import Bundle


class SupportBundleReport(Document):
    """The result of ``regmirror support-bundle -o json``."""

    kind: Annotated[Literal["SupportBundleReport"], Field(description="Kind of the document.")] = "SupportBundleReport"
    path: Annotated[str, Field(description="The archive.")]
    files: Annotated[list[str], Field(description="Every file in the archive.")]
    omitted: Annotated[list[str], Field(description="What is not in the archive, and why.")]


def bundle_report(bundle: Bundle, path: Path) -> SupportBundleReport:
    """The report on a bundle."""
    return SupportBundleReport(path=str(path), files=[OMITTED_FILE, *bundle.files], omitted=bundle.omitted)
