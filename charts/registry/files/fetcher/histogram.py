"""A histogram of Prometheus. Same text in fetcher and metrics; tests/charts/test_alike.py compares them."""

from bisect import bisect_left
from collections.abc import Iterator


class Histogram:
    """Counts durations by the smallest of ``bounds``, in seconds, that they do not exceed."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, seconds: float, times: int = 1) -> None:
        """Count a duration, ``times`` times."""
        self._counts[bisect_left(self._bounds, seconds)] += times
        self._sum += seconds * times

    def samples(self) -> Iterator[tuple[str, dict[str, str], float]]:
        """End of the name, labels and value of each sample; buckets are cumulative."""
        total = 0
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self._counts, strict=True):
            total += count
            yield "_bucket", {"le": bound}, total
        yield "_sum", {}, self._sum
        yield "_count", {}, total
