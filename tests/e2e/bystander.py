"""A well-behaved client that pulls while something happens to the mirror."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from regmirror.errors import RegistryError
from tests.e2e.pulls import PAUSE, SERVED, CachedImage, Figures, Puller

TOKEN_USED_FOR = 30.0
"""Seconds for which the client uses a token; the mirror's tokens are valid for at least a minute."""


@contextmanager
def pulling(puller: Puller, image: CachedImage) -> Iterator[Figures]:
    """Pulls a cached image again and again during the block; the figures are complete at its end."""
    figures, over = Figures(), threading.Event()
    thread = threading.Thread(target=_pull_until, args=(over, puller, image, figures))
    thread.start()
    try:
        yield figures
    finally:
        over.set()
        thread.join()


def _pull_until(over: threading.Event, puller: Puller, image: CachedImage, figures: Figures) -> None:
    renewed = 0.0
    while not over.wait(PAUSE):
        if time.monotonic() - renewed > TOKEN_USED_FOR:
            renewed = time.monotonic()
            figures.add(lambda: _renewed(puller, image))
        for ask in puller.asks(image).values():
            figures.add(ask)


def _renewed(puller: Puller, image: CachedImage) -> str:
    try:
        puller.renew(image.repository)
    except RegistryError as error:
        return f"no token: {error.message}"
    return SERVED
