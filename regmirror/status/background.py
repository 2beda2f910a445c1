"""Lookups that run in parallel with a common deadline: a service that hangs delays only its own answer."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, ParamSpec, TypeVar

from regmirror.errors import RegmirrorError

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A value that could not be determined, and why; ``code`` is that of the error, if there was one."""

    reason: str
    code: str = field(default="", compare=False)


class Lookup(Generic[T]):
    """A running lookup. Its thread is a daemon: a lookup that never ends does not keep the program from exiting."""

    def __init__(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> None:
        self._call = partial(call, *args, **kwargs)
        self._future: Future[T] = Future()
        threading.Thread(target=self._run, daemon=True).start()

    def result(self, ends: float) -> T | Unavailable:
        """The result, waited for until ``ends`` on the monotonic clock; a RegmirrorError becomes its reason."""
        try:
            return self._future.result(max(0.0, ends - time.monotonic()))
        except TimeoutError:
            return Unavailable("no answer in time")
        except RegmirrorError as error:
            return Unavailable(error.message, error.code)

    def _run(self) -> None:
        try:
            self._future.set_result(self._call())
        except BaseException as error:
            # Raised again where the result is read.
            self._future.set_exception(error)
