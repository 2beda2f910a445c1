"""Lookups that run side by side and give up together: one hanging service costs its own answer alone."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Generic, ParamSpec, TypeVar

from regmirror.errors import RegmirrorError

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unavailable:
    """What could not be found out, and why."""

    why: str


class Lookup(Generic[T]):
    """A lookup that has begun. Its thread is a daemon: one that never ends does not keep the program from ending."""

    def __init__(self, look: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> None:
        self._look = partial(look, *args, **kwargs)
        self._future: Future[T] = Future()
        threading.Thread(target=self._run, daemon=True).start()

    def found(self, ends: float) -> T | Unavailable:
        """The result, waited for until ``ends`` on the monotonic clock; an error that we know becomes its reason."""
        try:
            return self._future.result(max(0.0, ends - time.monotonic()))
        except TimeoutError:
            return Unavailable("no answer in time")
        except RegmirrorError as error:
            return Unavailable(error.message)

    def _run(self) -> None:
        try:
            self._future.set_result(self._look())
        except BaseException as error:
            # Whatever it is, it belongs to who asks for the result.
            self._future.set_exception(error)
