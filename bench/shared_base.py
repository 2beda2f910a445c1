"""Images of several repositories that share one base: how much of them leaves the upstream."""

from typing import Any

from bench import upstream
from bench.comparison import Comparison
from bench.figures import number, table
from bench.sides import POD, Side


def measure(of: Comparison) -> dict[str, Any]:
    """For each side: MB of layers that leave the upstream when each of the images is pulled once."""
    sizes = of.sizes
    sides = {side.name: _pulled(of, side) for side in of.sides if side.name != POD}
    unique = (sizes.base + sizes.images * sizes.own) / 1e6
    return {"unit": "MB", "images": sizes.images, "unique": unique, "sides": sides}


def report(result: dict[str, Any]) -> str:
    """The table."""
    head = [f"{result['images']} images with one base, {number(result['unique'])} MB of layers", "MB from the upstream"]
    return table(head, [(side, number(sent)) for side, sent in result["sides"].items()])


def _pulled(of: Comparison, side: Side) -> float:
    base = upstream.offer(of.env, of.sizes.base)
    images = [upstream.offer(of.env, of.sizes.own, base) for _ in range(of.sizes.images)]
    upstream.reset(of.env)
    for image in images:
        upstream.pull(of.env, side.url, image)
    return round(upstream.counts(of.env).layer_bytes / 1e6, 1)
