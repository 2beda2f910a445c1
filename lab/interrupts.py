"""Ctrl-C, SIGTERM and SIGHUP: they end a command of the lab, but not the cleaning up after it."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Handler = Callable[[int, FrameType | None], None] | signal.Handlers


def raise_interrupt(_signal: int, _frame: FrameType | None) -> None:
    """What each of the signals does while a command is at work."""
    raise KeyboardInterrupt


@contextmanager
def handled_by(handlers: dict[signal.Signals, Handler]) -> Iterator[None]:
    """Has `handlers` in force during the block; for the main thread only."""
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def held_off() -> Iterator[None]:
    """Ignores the signals during the block, which cleans up and takes a second or a few."""
    with handled_by(dict.fromkeys(SIGNALS, signal.SIG_IGN)):
        yield
