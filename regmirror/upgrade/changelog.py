"""Reads CHANGELOG.md, finds the notes between two versions, and the deployed version."""

import re
from dataclasses import dataclass
from typing import Any

from regmirror.errors import ConfigurationError, TemplateError
from regmirror.version import is_development, release_of, version_of_chart

UNRELEASED = "unreleased"
_GIVE_FROM = "name the old version, e.g. --from 0.1.0"
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_HEADING = re.compile(r"## (?P<version>Unreleased|\d+\.\d+\.\d+)(?: - (?P<date>\d{4}-\d{2}-\d{2}))?")


@dataclass(frozen=True, slots=True)
class Notes:
    """The notes of one version; ``date`` is empty if it is not released yet."""

    version: str
    date: str
    sections: dict[str, list[str]]
    """The entries by heading: Added, Changed, Fixed, Removed, Restarts, By hand."""

    @property
    def order(self) -> tuple[float, ...]:
        """The sort key; an unreleased version comes last."""
        return (float("inf"),) if self.version == UNRELEASED else order_of(self.version)


def order_of(version: str) -> tuple[float, ...]:
    """The sort key of a version such as 0.1.0; raises ConfigurationError for anything else.

    A development version comes before its release and after all earlier ones.
    """
    if not _VERSION.fullmatch(release_of(version)):
        raise ConfigurationError(f'"{version}" is not a version such as 0.1.0')
    numbers = tuple(map(float, release_of(version).split(".")))
    return (*numbers, -1.0) if is_development(version) else (*numbers, 0.0)


def parse_changelog(text: str) -> list[Notes]:
    """The notes of every version, in the order of the text; raises TemplateError if a heading is not a version."""
    parts = re.split(r"^(## .+)$", text, flags=re.MULTILINE)[1:]
    return [_notes(heading, body) for heading, body in zip(parts[::2], parts[1::2], strict=True)]


def _notes(heading: str, body: str) -> Notes:
    match = _HEADING.fullmatch(heading)
    if match is None:
        raise TemplateError(f"CHANGELOG.md: a heading is not a version: {heading}")
    parts = re.split(r"^### (.+)$", body, flags=re.MULTILINE)[1:]
    sections = {title: _entries(entries) for title, entries in zip(parts[::2], parts[1::2], strict=True)}
    return Notes(match["version"].lower(), match["date"] or "", sections)


def _entries(text: str) -> list[str]:
    """The entries of a list, each joined to one line."""
    return [" ".join(entry.split()) for entry in re.split(r"^- ", text, flags=re.MULTILINE)[1:]]


def notes_between(notes: list[Notes], before: str, after: str) -> list[Notes]:
    """The notes of the versions later than ``before`` and not later than ``after``, oldest first.

    A development version has part of the notes that are not released yet, and nothing shows which: as ``after`` it has
    all of them, as ``before`` none. Raises ConfigurationError if one of the versions is unknown, or ``before`` is newer
    than ``after``.
    """
    known = {note.version: note for note in notes}
    for option, version in (("--from", before), ("--to", after)):
        if version not in known and not (is_development(version) and {UNRELEASED, release_of(version)} & known.keys()):
            raise ConfigurationError(
                f"{option}: no notes for version {version}",
                hint=f"use one of {', '.join(known)}; for a newer version, install it first",
            )
    first = order_of(before) if is_development(before) else known[before].order
    last = next(known[name].order for name in (after, release_of(after), UNRELEASED) if name in known)
    if first > last:
        raise ConfigurationError(
            f"version {before} is newer than {after}: no notes for a downgrade",
            hint="install the newer regmirror, or swap --from and --to",
        )
    return sorted((note for note in notes if first < note.order <= last), key=lambda note: note.order)


def deployed_version(deployment: dict[str, Any] | None, place: str) -> str:
    """The version of regmirror whose charts deployed the mirror, from a Deployment of it in ``place``.

    Raises ConfigurationError if it is not known.
    """
    if deployment is None:
        raise ConfigurationError(f"no mirror is deployed in {place}", hint=_GIVE_FROM)
    chart = str((deployment["metadata"].get("labels") or {}).get("helm.sh/chart", ""))
    name, _, version = chart.partition("-")
    if name not in {"auth", "registry"}:
        what = f"the Deployment {deployment['metadata'].get('name', '')}"
        raise ConfigurationError(f"{what} in {place} has no chart version", hint=_GIVE_FROM)
    return version_of_chart(version)
