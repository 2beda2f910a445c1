"""Writes rendered files: new and changed ones, and removes those of an earlier rendering that are no longer needed."""

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from regmirror.errors import ConfigurationError
from regmirror.render.files import Change, RenderedFile
from regmirror.render.output_format import OutputFormat

INDEX = ".regmirror-files"
"""Lists the files of the last rendering: only these are replaced and removed without --force."""
_FIRST_LINE = "# Written by regmirror render "
RECORDED = {
    "output_format": "--format",
    "repository": "--repository",
    "revision": "--revision",
    "path": "--path",
    "argocd_project": "--argocd-project",
    "external_secrets": "--external-secrets",
    "store_key": "--store-key",
    "secrets_revision": "--secrets-revision",
}
"""The options that the files depend on, by the name of the parameter."""


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


def written_options(directory: Path) -> dict[str, str]:
    """The options of the last rendering in a directory, by the name of the parameter; none if it is unknown."""
    line = next(iter(_lines(directory)), "")
    try:
        words = shlex.split(line.removeprefix(_FIRST_LINE)) if line.startswith(_FIRST_LINE) else []
    except ValueError:
        return {}
    given = dict(zip(words[::2], words[1::2], strict=False))
    found = {name: given[option] for name, option in RECORDED.items() if option in given}
    return found if found.get("output_format") in list(OutputFormat) else {}


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
    options: Mapping[str, str],
    *,
    force: bool,
) -> None:
    """Write the changes; raises ConfigurationError, before any change, if a file that render did not write differs.

    ``options`` are those that ``written_options`` returns afterwards.
    """
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
        _write_index(directory, options, listed | texts.keys())
        for path, change in changes.items():
            if change is Change.REMOVED:
                (directory / path).unlink()
            else:
                (directory / path).parent.mkdir(parents=True, exist_ok=True)
                (directory / path).write_bytes(texts[path].encode())
        _write_index(directory, options, texts.keys())
    except OSError as error:
        raise ConfigurationError(f"cannot write {error.filename}: {error.strerror}") from error


def _write_index(directory: Path, options: Mapping[str, str], paths: Iterable[str]) -> None:
    # Only printable ones: a line break would end the line, and the rest would be the path of a file.
    words = [word for name, value in options.items() if value.isprintable() for word in (RECORDED[name], value)]
    text = "".join(f"{line}\n" for line in [f"{_FIRST_LINE}{shlex.join(words)}", *sorted(paths)])
    (directory / INDEX).write_text(text, encoding="utf-8")
