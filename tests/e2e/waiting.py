"""Waiting for conditions, and limits that hold on a loaded machine."""

import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

SECONDS = 600.0
"""The default limit of a wait: it only ends a test that hangs."""
PAUSE = 0.2
DEPENDS_ON_MACHINE = frozenset({"storage-speed"})
"""The checks of verify whose results depend on what else this machine does."""


def wait_until(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Return when the condition holds; the test fails after ``seconds``."""
    await_value(condition, bool, seconds)


def await_value(read: Callable[[], T], is_right: Callable[[T], bool], seconds: float = SECONDS) -> T:
    """The first value that is right; the test fails with the last one after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not is_right(value := read()):
        assert time.monotonic() < deadline, value
        time.sleep(PAUSE)
    return value


def on_this_machine(seconds: float) -> float:
    """How long something that takes ``seconds`` on an idle machine may take on this one, given its current load."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
