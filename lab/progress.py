"""What the lab is doing, on stderr: one line for each step, with the time that the step took."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

TICK_SECONDS = 1.0


def say(message: str) -> None:
    """Prints one line of progress."""
    print(message, file=sys.stderr, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Says how long the block took when it is through; on a terminal it counts the seconds before, too."""
    started = time.monotonic()
    ended = threading.Event()

    def count() -> None:
        while not ended.wait(TICK_SECONDS):
            print(f"\r  {time.monotonic() - started:5.0f} s  {title} ", end="", file=sys.stderr, flush=True)

    counter = threading.Thread(target=count, daemon=True)
    terminal = sys.stderr.isatty()
    if terminal:
        counter.start()
    try:
        yield
    finally:
        ended.set()
        if terminal:
            counter.join()
            print("\r", end="", file=sys.stderr)
    say(f"  {time.monotonic() - started:5.1f} s  {title}")
