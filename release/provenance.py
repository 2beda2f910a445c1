"""Where the artifacts come from: an in-toto statement with SLSA's provenance.

Sources: in-toto Statement v1 and SLSA provenance v1. It has no time, so the same commit makes the same bytes. It is as
trustworthy as the signature of SHA256SUMS, which lists it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from release.distributions import ROOT, digest
from release.errors import ReleaseError
from release.processes import output_of

PINS = ("requirements/development.txt", "release/helm/go.sum")
"""The files that pin, with hashes, everything that a build downloads."""


@dataclass(frozen=True)
class Source:
    """The commit that is built, when it was made, and whether the files differ from it."""

    commit: str
    seconds: int
    is_changed: bool


def source(directory: Path = ROOT) -> Source:
    """The commit of a working tree; raises ReleaseError if it is not one of Git."""
    shown = output_of(["git", "log", "-1", "--format=%H %ct"], "reading the commit", directory=directory)
    commit, _, seconds = shown.strip().partition(" ")
    changed = output_of(["git", "status", "--porcelain"], "looking for changed files", directory=directory)
    return Source(commit, int(seconds), bool(changed.strip()))


def require_unchanged(found: Source) -> None:
    """Raises ReleaseError if files differ from the commit, because nobody could build the artifacts again."""
    if found.is_changed:
        raise ReleaseError("there are uncommitted changes: commit them, or use --allow-uncommitted for a test")


def statement(found: Source, files: list[Path], documentation: str) -> dict[str, Any]:
    """The statement about these files; `documentation` is the address that explains how they are built."""
    commit = {"digest": {"gitCommit": found.commit}} if not found.is_changed else {}
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": file.name, "digest": {"sha256": digest(file)}} for file in sorted(files)],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": f"{documentation}/contributing/release/#build",
                "externalParameters": {"command": "make release", "uncommittedChanges": found.is_changed},
                "resolvedDependencies": [
                    {"name": "source", **commit},
                    *({"name": name, "digest": {"sha256": digest(ROOT / name)}} for name in PINS),
                ],
            },
            "runDetails": {"builder": {"id": f"{documentation}/contributing/release/#build"}},
        },
    }
