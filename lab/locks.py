"""Locks between processes; a process that has to wait reports it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import progress

# Only one lab of the machine starts or stops at a time. The directory always exists, so no lock file remains.
MACHINE = Path("/run")


@contextmanager
def held(directory: Path, what: str) -> Iterator[None]:
    """Locks `directory` for the duration of the block; `what` describes the process that holds it while this one waits.

    The kernel releases the lock of a killed process.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say(f"  waiting for another process that {what}")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
