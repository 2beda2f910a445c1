"""Cold pulls: an image that is not cached, through the mirror and directly from the upstream."""

from functools import partial
from typing import Any

from bench import upstream
from bench.comparison import Comparison
from bench.deploying import timed
from bench.figures import ratio, shown, spread, table

SPEEDS = {"12.5 MB/s": 12_500_000, "50 MB/s": 50_000_000, "unlimited": 0}
"""How fast the upstream sends a layer; Docker Hub sends 100 to 400 Mbit/s, and unlimited is the loopback interface."""


def measure(of: Comparison) -> dict[str, Any]:
    """Seconds that crane takes to pull an image, in turns; each pull uses a new image."""
    results: dict[str, Any] = {}
    for name, speed in SPEEDS.items():
        with upstream.line(of.env, speed, shared=False):
            results[name] = _compare(of)
    return {"unit": "s", "rounds": of.sizes.rounds, "bytes": of.sizes.cold_layer, "goal": 1.1, "speeds": results}


def report(result: dict[str, Any]) -> str:
    """The table."""
    rows = [
        (name, shown(found["mirror"]), shown(found["upstream"]), found["ratio"])
        for name, found in result["speeds"].items()
    ]
    head = ["upstream speed", "through the mirror, s", "directly from the upstream, s", "ratio (goal: at most 1.1)"]
    return table(head, rows)


def _compare(of: Comparison) -> dict[str, Any]:
    urls = {"mirror": of.public.url, "upstream": of.env.lab["hub"]["url"]}
    taken: dict[str, list[float]] = {name: [] for name in urls}
    for _ in range(of.sizes.rounds):
        image = upstream.offer(of.env, of.sizes.cold_layer)
        for name, url in urls.items():
            taken[name].append(timed(partial(upstream.pull, of.env, url, image)))
    figures = {name: spread(seconds) for name, seconds in taken.items()}
    return figures | {"ratio": ratio(figures["mirror"], figures["upstream"])}
