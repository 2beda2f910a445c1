"""What the fetcher counts, in the text format of Prometheus: charts/registry/files/metrics passes it on."""

import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fetcher.histogram import Histogram
from fetcher.unsupported import unsupported_type

_BOUNDS = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30)
_KINDS = ("tag", "digest", "layer")
# A driver's error as a document, or as text (distribution v3.1.2 registry/storage/driver/storagedriver.go).
_OF_STORE = re.compile(rb'"driver"|"detail":\s*"(s3aws|filesystem): ')
_STALE_SECONDS = 300.0
"""How long a tag counts as stale after it was served so."""
_MOST_STALE = 1024
"""Tags that are remembered."""


def kind_of(path: str) -> str:
    """What a path of the registry asks for: ``tag``, ``digest``, ``layer``; empty for anything else."""
    if "/blobs/" in path:
        return "layer"
    if "/manifests/" not in path:
        return ""
    return "digest" if "/manifests/sha256:" in path else "tag"


@dataclass(slots=True)
class Figures:
    """Counters of one process, from 0."""

    _shared: Counter[str] = field(default_factory=Counter)
    _waiting: Counter[str] = field(default_factory=Counter)
    _failures: Counter[str] = field(default_factory=Counter)
    _durations: dict[str, Histogram] = field(default_factory=lambda: {kind: Histogram(_BOUNDS) for kind in _KINDS})
    _stale: dict[str, tuple[float, float]] = field(default_factory=dict)

    def shared(self, path: str) -> None:
        """A request was answered by what another client had asked for."""
        self._shared[kind_of(path)] += 1

    @contextmanager
    def waiting(self, path: str) -> Iterator[None]:
        """A request waits for the registry."""
        self._waiting[kind_of(path)] += 1
        try:
            yield
        finally:
            self._waiting[kind_of(path)] -= 1

    def responded(self, path: str, seconds: float) -> None:
        """The registry began to answer after so many seconds."""
        if durations := self._durations.get(kind_of(path)):
            durations.observe(seconds)

    def unanswered(self) -> None:
        """The registry took no connection, or did not answer."""
        self._failures["registry"] += 1

    def answered(self, status: int, body: bytes) -> None:
        """Count a failure by its cause, which the registry's error document names."""
        if status == 429:
            self._failures["rate_limited"] += 1
        elif status >= 500 and not unsupported_type(body):
            self._failures["store" if _OF_STORE.search(body) else "upstream"] += 1

    def served_stale(self, path: str, confirmed: float) -> None:
        """A tag was answered as it was at ``confirmed``, on the monotonic clock."""
        self._stale.pop(path, None)
        if len(self._stale) >= _MOST_STALE:
            del self._stale[next(iter(self._stale))]
        self._stale[path] = (confirmed, time.monotonic())

    def _oldest_stale(self) -> float:
        now = time.monotonic()
        ages = [now - confirmed for confirmed, served in self._stale.values() if now - served < _STALE_SECONDS]
        return max(ages, default=0.0)

    def lines(self, **more: float) -> Iterator[str]:
        """All samples; ``more`` are those that others know, without the prefix of their names."""
        for kind in _KINDS:
            yield f'regmirror_shared_requests_total{{kind="{kind}"}} {self._shared[kind]}'
            yield f'regmirror_waiting_requests{{kind="{kind}"}} {self._waiting[kind]}'
            for end, labels, value in self._durations[kind].samples():
                pairs = ",".join(f'{name}="{text}"' for name, text in {"kind": kind, **labels}.items())
                yield f"regmirror_registry_request_duration_seconds{end}{{{pairs}}} {value}"
        for cause in ("rate_limited", "store", "upstream", "registry"):
            yield f'regmirror_registry_failures_total{{cause="{cause}"}} {self._failures[cause]}'
        yield f"regmirror_oldest_stale_seconds {self._oldest_stale()}"
        yield from (f"regmirror_{name} {value}" for name, value in more.items())
