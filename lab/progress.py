"""What the lab is doing, on stderr: one line for each step, with the time that the step took."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


def say(message: str) -> None:
    """Prints one line of progress."""
    print(message, file=sys.stderr, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Says `title` when the block begins and, where it ends without an error, how long it took."""
    started = time.monotonic()
    say(f"  {title} ...")
    yield
    say(f"  {title}: {time.monotonic() - started:.1f} s")
