"""Writes what was rendered: new and changed files, and takes away those that an earlier rendering has left."""

from enum import Enum
from pathlib import Path

from regmirror.errors import ConfigurationError
from regmirror.render.files import RenderedFile

INDEX = ".regmirror-files"
"""Lists the files of the last rendering: only these are replaced and removed without being asked for."""


class Change(Enum):
    """What becomes of a file."""

    CREATED = "create"
    CHANGED = "change"
    REMOVED = "remove"


def compare_files(files: list[RenderedFile], directory: Path) -> dict[str, Change]:
    """What writing would change, by path; raises ConfigurationError where the directory cannot be read."""
    wanted = {file.path: file.text.encode() for file in files}
    try:
        left = [path for path in _index(directory) if path not in wanted and (directory / path).is_file()]
        changes = {path: _change(directory / path, content) for path, content in wanted.items()}
    except OSError as error:
        raise ConfigurationError(f"{error.filename} cannot be read: {error.strerror}") from error
    changes |= dict.fromkeys(left, Change.REMOVED)
    return {path: change for path, change in sorted(changes.items()) if change}


def _change(path: Path, content: bytes) -> Change | None:
    if not path.exists():
        return Change.CREATED
    return None if path.read_bytes() == content else Change.CHANGED


def _index(directory: Path) -> list[str]:
    """The paths of the last rendering; one that leads out of the directory is not ours."""
    path = directory / INDEX
    listed = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    return [line for line in listed if line and not line.startswith("/") and ".." not in line.split("/")]


def write_files(files: list[RenderedFile], changes: dict[str, Change], directory: Path, *, force: bool) -> None:
    """Carry the changes out; raises ConfigurationError, before any, where a file that is not ours would be replaced."""
    ours = set(_index(directory))
    foreign = [path for path, change in changes.items() if change is Change.CHANGED and path not in ours]
    if foreign and not force:
        raise ConfigurationError(
            f"{directory / foreign[0]} exists, and was not written by render",
            hint="choose another --output-dir, or replace it by --force",
        )
    texts = {file.path: file.text for file in files}
    try:
        directory.mkdir(parents=True, exist_ok=True)
        # First of all: what an interrupted run has written is then known to the next.
        (directory / INDEX).write_text("".join(f"{path}\n" for path in sorted(ours | texts.keys())), encoding="utf-8")
        for path, change in changes.items():
            if change is Change.REMOVED:
                (directory / path).unlink()
            else:
                (directory / path).parent.mkdir(parents=True, exist_ok=True)
                (directory / path).write_bytes(texts[path].encode())
        (directory / INDEX).write_text("".join(f"{path}\n" for path in sorted(texts)), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{error.filename} cannot be written: {error.strerror}") from error
