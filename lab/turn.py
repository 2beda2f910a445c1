"""Turns: only one process at a time starts or stops labs on this machine."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import progress

# A directory that is always there, so that no lock file is left behind; the kernel gives up the lock of a killed one.
LOCKED = Path("/run")


@contextmanager
def taken() -> Iterator[None]:
    """Waits until no other process starts or stops a lab, and keeps others waiting during the block."""
    descriptor = os.open(LOCKED, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say("  waiting for another command that starts or stops a lab")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
