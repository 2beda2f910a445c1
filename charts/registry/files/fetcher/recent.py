"""Values that are valid for a short time."""

import time
from dataclasses import dataclass, field
from typing import Generic, TypeVar

V = TypeVar("V")


@dataclass(slots=True)
class Recent(Generic[V]):
    """At most ``limit`` values by key, each for ``seconds`` after it was put; the oldest goes first."""

    seconds: float
    limit: int
    _values: dict[str, tuple[V, float]] = field(default_factory=dict)

    def get(self, key: str) -> V | None:
        """The value, unless it is too old."""
        value, ends = self._values.get(key, (None, 0.0))
        return value if ends > time.monotonic() else None

    def put(self, key: str, value: V) -> None:
        """Keep the value from now on."""
        self._values.pop(key, None)
        while len(self._values) >= self.limit:
            del self._values[next(iter(self._values))]
        self._values[key] = (value, time.monotonic() + self.seconds)
