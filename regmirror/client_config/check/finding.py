"""What a check of a machine finds."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Whether the mirror is used in spite of a finding."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be, where it is, and how to fix it."""

    id: str
    severity: Severity
    path: str
    message: str
    """What is wrong, without the path and without a period."""
    fix: str
    """What to do: a command, or a sentence without a period."""


class FindingError(Exception):
    """A finding after which a check cannot continue."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def error(id: str, path: str, message: str, fix: str) -> Finding:
    """A finding because of which the mirror is not used."""
    return Finding(id, Severity.ERROR, path, message, fix)


def warning(id: str, path: str, message: str, fix: str) -> Finding:
    """A finding in spite of which the mirror is used."""
    return Finding(id, Severity.WARNING, path, message, fix)
