"""Handling of Ctrl-C, SIGTERM and SIGHUP: they end a command of the lab, but not its cleanup."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Handler = Callable[[int, FrameType | None], None] | signal.Handlers


def raise_interrupt(_signal: int, _frame: FrameType | None) -> None:
    """Signal handler: raises KeyboardInterrupt."""
    raise KeyboardInterrupt


@contextmanager
def handled_by(handlers: dict[signal.Signals, Handler]) -> Iterator[None]:
    """Installs `handlers` for the duration of the block; only in the main thread."""
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def ignored() -> Iterator[None]:
    """Ignores the signals for the duration of the block, a cleanup of a few seconds."""
    with handled_by(dict.fromkeys(SIGNALS, signal.SIG_IGN)):
        yield
