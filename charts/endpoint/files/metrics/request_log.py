"""The lines that the front writes, one for each request, into a file in memory.

What was read is cut out of the file (fallocate(2), FALLOC_FL_PUNCH_HOLE), while the front goes on writing at its end.
No line is lost or counted twice, and the file takes no more memory than the lines that have not been read yet.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_READ = 1 << 20
_MOST_KEPT = 1 << 20
"""Bytes after which the file is truncated, where holes are not possible. The lines of that moment may be lost."""
_KEEP_SIZE, _PUNCH_HOLE = 1, 2
"""Linux: include/uapi/linux/falloc.h."""

_fallocate = ctypes.CDLL(None, use_errno=True).fallocate
_fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]


class RequestLog:
    """Reads each complete line of a growing file once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._position = 0

    def batches(self) -> Iterator[list[bytes]]:
        """The lines since the last call, in batches; none while there is no file."""
        if self._file is None:
            self._open()
        if self._file is None:
            return
        if os.fstat(self._file).st_size < self._position:
            self._position = 0
        while lines := self._batch(self._file):
            yield lines
        self._forget(self._file)

    def _open(self) -> None:
        with suppress(FileNotFoundError):
            self._file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
            self._position = _first_data(self._file)

    def _batch(self, file: int) -> list[bytes]:
        complete, _, _ = os.pread(file, _READ, self._position).rpartition(b"\n")
        if not complete:
            return []
        self._position += len(complete) + 1
        # A hole that an earlier process has cut within a page reads as zeros.
        return complete.lstrip(b"\0").split(b"\n")

    def _forget(self, file: int) -> None:
        if not self._position:
            return
        if _fallocate(file, _PUNCH_HOLE | _KEEP_SIZE, 0, self._position) and self._position > _MOST_KEPT:
            os.ftruncate(file, 0)
            self._position = 0


def _first_data(file: int) -> int:
    """Where the first byte is that was not cut out; the end of the file if there is none."""
    try:
        return os.lseek(file, 0, os.SEEK_DATA)
    except OSError:
        return os.fstat(file).st_size
