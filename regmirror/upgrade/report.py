"""The document of ``regmirror upgrade-notes``."""

from typing import Annotated, Literal

from pydantic import Field

from regmirror.config.documents import Document, DocumentPart
from regmirror.upgrade.changelog import Notes


class VersionNotes(DocumentPart):
    """The notes of one version."""

    version: Annotated[str, Field(description="The version, or unreleased.")]
    date: Annotated[str | None, Field(description="Day of the release; null if it is not released.")]
    notes: Annotated[dict[str, list[str]], Field(description="The entries by heading, such as By hand or Restarts.")]


class UpgradeNotes(Document):
    """The result of ``regmirror upgrade-notes -o json``."""

    kind: Annotated[Literal["UpgradeNotes"], Field(description="Kind of the document.")] = "UpgradeNotes"
    old_version: Annotated[str, Field(alias="from", description="The old version.")]
    new_version: Annotated[str, Field(alias="to", description="The new version.")]
    versions: Annotated[list[VersionNotes], Field(description="The versions after the old one, oldest first.")]


def upgrade_report(old: str, new: str, notes: list[Notes]) -> UpgradeNotes:
    """The report on the notes between two versions."""
    versions = [VersionNotes(version=note.version, date=note.date or None, notes=note.sections) for note in notes]
    return UpgradeNotes(old_version=old, new_version=new, versions=versions)
