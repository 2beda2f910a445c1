"""Writes a support bundle: a compressed tar file that only its owner can read."""

import io
import os
import tarfile
from datetime import datetime
from pathlib import Path

from regmirror.errors import ConfigurationError
from regmirror.support.bundle import Bundle

OMITTED_FILE = "OMITTED.txt"
"""Lists what is not in the archive."""


def require_new_file(path: Path) -> None:
    """Check before the collection that the archive can be created; raises ConfigurationError."""
    if path.exists():
        raise _cannot_write(path, "the file exists")
    if not path.parent.is_dir():
        raise _cannot_write(path, f"there is no directory {path.parent}")


def write_archive(bundle: Bundle, path: Path, moment: datetime) -> None:
    """Write the files and a list of what was omitted, with mode 0600; raises ConfigurationError.

    An existing file is not replaced, and an incomplete one is removed.
    """
    directory = path.name.removesuffix(".gz").removesuffix(".tar").removesuffix(".tgz")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise _cannot_write(path, str(error.strerror)) from error
    try:
        with os.fdopen(descriptor, "wb") as stream, tarfile.open(fileobj=stream, mode="w:gz") as archive:
            for name, text in {OMITTED_FILE: "\n".join([*bundle.omitted, ""]), **bundle.files}.items():
                _add(archive, f"{directory}/{name}", text.encode(errors="replace"), moment)
    except BaseException:
        path.unlink()
        raise


def _cannot_write(path: Path, reason: str) -> ConfigurationError:
    return ConfigurationError(f"cannot write {path}: {reason}", hint="choose another file with --output-file")


def _add(archive: tarfile.TarFile, name: str, content: bytes, moment: datetime) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(content), 0o600, int(moment.timestamp())
    archive.addfile(entry, io.BytesIO(content))
