"""Writes rendered files: new and changed ones, and removes those of an earlier rendering that are no longer needed."""

from collections.abc import Iterable
from pathlib import Path

from regmirror.errors import ConfigurationError
from regmirror.render.files import Change, RenderedFile
from regmirror.render.output_format import OutputFormat

INDEX = ".regmirror-files"
"""Lists the files of the last rendering: only these are replaced and removed without --force."""
_FORMAT = "# Written by regmirror render --format "


def compare_files(files: list[RenderedFile], directory: Path) -> dict[str, Change]:
    """What writing would change, by path; raises ConfigurationError if the directory cannot be read."""
    contents = {file.path: file.text.encode() for file in files}
    try:
        outdated = [path for path in _index(directory) if path not in contents and (directory / path).is_file()]
        changes = {path: _change(directory / path, content) for path, content in contents.items()}
    except OSError as error:
        raise ConfigurationError(f"cannot read {error.filename}: {error.strerror}") from error
    changes |= dict.fromkeys(outdated, Change.REMOVED)
    return {path: change for path, change in sorted(changes.items()) if change}


def _change(path: Path, content: bytes) -> Change | None:
    if not path.exists():
        return Change.CREATED
    return None if path.read_bytes() == content else Change.CHANGED


def written_format(directory: Path) -> OutputFormat | None:
    """The format of the last rendering in a directory; None if there is none, or it is unknown."""
    line = next(iter(_lines(directory)), "")
    name = line.removeprefix(_FORMAT) if line.startswith(_FORMAT) else ""
    return OutputFormat(name) if name in list(OutputFormat) else None


def _index(directory: Path) -> list[str]:
    """The paths of the last rendering, without those that lead out of the directory."""
    return [line for line in _lines(directory) if line and line[0] not in "/#" and ".." not in line.split("/")]


def _lines(directory: Path) -> list[str]:
    path = directory / INDEX
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []


def write_files(
    files: list[RenderedFile],
    changes: dict[str, Change],
    directory: Path,
    output_format: OutputFormat,
    *,
    force: bool,
) -> None:
    """Write the changes; raises ConfigurationError, before any change, if a file that render did not write differs."""
    listed = set(_index(directory))
    foreign = [path for path, change in changes.items() if change is Change.CHANGED and path not in listed]
    if foreign and not force:
        paths = ", ".join(str(directory / path) for path in foreign)
        raise ConfigurationError(
            f"not written by render, and different: {paths}",
            hint="choose another --output-dir, or overwrite these files with --force",
        )
    texts = {file.path: file.text for file in files}
    try:
        directory.mkdir(parents=True, exist_ok=True)
        # Before the files: if this run is interrupted, the next one knows what it has written.
        _write_index(directory, output_format, listed | texts.keys())
        for path, change in changes.items():
            if change is Change.REMOVED:
                (directory / path).unlink()
            else:
                (directory / path).parent.mkdir(parents=True, exist_ok=True)
                (directory / path).write_bytes(texts[path].encode())
        _write_index(directory, output_format, texts.keys())
    except OSError as error:
        raise ConfigurationError(f"cannot write {error.filename}: {error.strerror}") from error


def _write_index(directory: Path, output_format: OutputFormat, paths: Iterable[str]) -> None:
    text = "".join(f"{line}\n" for line in [f"{_FORMAT}{output_format}", *sorted(paths)])
    (directory / INDEX).write_text(text, encoding="utf-8")
