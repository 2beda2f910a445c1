"""Reads CHANGELOG.md, and finds the notes between two versions."""

import re
from dataclasses import dataclass

from regmirror.errors import ConfigurationError, TemplateError

UNRELEASED = "unreleased"
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_HEADING = re.compile(r"## (?P<version>Unreleased|\d+\.\d+\.\d+)(?: - (?P<date>\d{4}-\d{2}-\d{2}))?")


@dataclass(frozen=True, slots=True)
class Notes:
    """The notes of one version; ``date`` is empty where it is not released yet."""

    version: str
    date: str
    sections: dict[str, list[str]]
    """The entries by heading: Added, Changed, Fixed, Removed, Restarts, By hand."""

    @property
    def order(self) -> tuple[float, ...]:
        """By which versions are compared; what is not released comes last."""
        return (float("inf"),) if self.version == UNRELEASED else order_of(self.version)


def order_of(version: str) -> tuple[float, ...]:
    """A version such as 0.1.0 for comparison; raises ConfigurationError for anything else."""
    if not _VERSION.fullmatch(version):
        raise ConfigurationError(f'"{version}" is not a version such as 0.1.0')
    return tuple(map(float, version.split(".")))


def parse_changelog(text: str) -> list[Notes]:
    """The notes of every version, in the order of the text; raises TemplateError where a heading is no version."""
    parts = re.split(r"^(## .+)$", text, flags=re.MULTILINE)[1:]
    return [_notes(heading, body) for heading, body in zip(parts[::2], parts[1::2], strict=True)]


def _notes(heading: str, body: str) -> Notes:
    found = _HEADING.fullmatch(heading)
    if found is None:
        raise TemplateError(f"CHANGELOG.md has a heading that is no version: {heading}")
    parts = re.split(r"^### (.+)$", body, flags=re.MULTILINE)[1:]
    sections = {title: _entries(entries) for title, entries in zip(parts[::2], parts[1::2], strict=True)}
    return Notes(found["version"].lower(), found["date"] or "", sections)


def _entries(text: str) -> list[str]:
    """The entries of a list, each on one line."""
    return [" ".join(entry.split()) for entry in re.split(r"^- ", text, flags=re.MULTILINE)[1:]]


def notes_between(notes: list[Notes], before: str, after: str) -> list[Notes]:
    """The notes of the versions later than ``before`` and not later than ``after``, oldest first.

    Raises ConfigurationError where one of them is unknown, or they stand in the wrong order.
    """
    known = {one.version: one for one in notes}
    for option, version in (("--from", before), ("--to", after)):
        if version not in known:
            raise ConfigurationError(
                f"{option}: there are no notes of version {version}",
                hint=f"this regmirror knows: {', '.join(known)}; for a newer one install it first",
            )
    first, last = known[before].order, known[after].order
    if first > last:
        raise ConfigurationError(
            f"version {before} is newer than {after}: there are no notes on the way back",
            hint="install the newer regmirror, or change --from and --to",
        )
    return sorted((one for one in notes if first < one.order <= last), key=lambda one: one.order)
