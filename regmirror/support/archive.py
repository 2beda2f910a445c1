"""Writes a support bundle: one compressed tar file that its owner alone can read."""

import io
import os
import tarfile
from datetime import datetime
from pathlib import Path

from regmirror.errors import ConfigurationError
from regmirror.support.bundle import Bundle

_LEFT_OUT = "LEFT-OUT.txt"


def write_archive(bundle: Bundle, path: Path, moment: datetime) -> None:
    """Write the files, and a list of what was left out, with mode 0600; raises ConfigurationError.

    Nothing that exists is replaced, and nothing half-written stays.
    """
    directory = path.name.removesuffix(".gz").removesuffix(".tar").removesuffix(".tgz")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror}", hint="name another by --output-file"
        ) from error
    try:
        with os.fdopen(descriptor, "wb") as stream, tarfile.open(fileobj=stream, mode="w:gz") as archive:
            for name, text in {_LEFT_OUT: "\n".join([*bundle.left_out, ""]), **bundle.files}.items():
                _add(archive, f"{directory}/{name}", text.encode(errors="replace"), moment)
    except BaseException:
        path.unlink()
        raise


def _add(archive: tarfile.TarFile, name: str, content: bytes, moment: datetime) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(content), 0o600, int(moment.timestamp())
    archive.addfile(entry, io.BytesIO(content))
