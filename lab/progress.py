"""Progress of the lab on stderr: one line for each step, with its duration."""

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
    """Reports the duration of the block when it ends; on a terminal, it counts the seconds until then."""
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
