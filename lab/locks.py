"""Locks between processes: whoever comes second waits, and says so."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import progress

# Starting and stopping labs takes turns on the whole machine. The directory is always there: no lock file is left.
MACHINE = Path("/run")


@contextmanager
def held(directory: Path, what: str) -> Iterator[None]:
    """Waits for other processes that hold `directory`, and holds it during the block; `what` says what they do.

    The kernel gives up the lock of a killed process.
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
