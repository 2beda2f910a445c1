"""Many clients that pull one new tag at once: how often the upstream is asked."""

from typing import Any

from bench import load, upstream
from bench.comparison import Comparison
from bench.figures import number, shown, spread, table
from bench.sides import Side

METHODS = {"manifest GET": ("manifests", "GET"), "manifest HEAD": ("manifests", "HEAD"), "token": ("token", "GET")}
SMALL = 1000


def measure(of: Comparison) -> dict[str, Any]:
    """For each side: seconds, and requests at the upstream by kind, except those that it answered with 401."""
    rounds: dict[str, list[dict[str, float]]] = {side.name: [] for side in of.sides}
    for _ in range(of.sizes.rounds):
        for side in of.sides:
            rounds[side.name].append(_round(of, side))
    sides = {side: {key: spread([one[key] for one in found]) for key in found[0]} for side, found in rounds.items()}
    return {"clients": of.sizes.new_tag_clients, "rounds": of.sizes.rounds, "sides": sides}


def report(result: dict[str, Any]) -> str:
    """The table."""
    head = [f"{result['clients']} clients, one new tag", *(f"{key} upstream" for key in METHODS), "seconds"]
    rows = [
        (side, *(number(found[key]["median"]) for key in METHODS), shown(found["seconds"]))
        for side, found in result["sides"].items()
    ]
    return table(head, rows)


def _round(of: Comparison, side: Side) -> dict[str, float]:
    image = upstream.offer(of.env, SMALL)
    upstream.reset(of.env)
    burst = load.once(of.env, side.request(image.repository, f"manifests/{upstream.TAG}"), of.sizes.new_tag_clients)
    counts = upstream.counts(of.env)
    if burst.statuses != {"200": of.sizes.new_tag_clients}:
        raise RuntimeError(f"{side.name} answered {burst.statuses}")
    return {"seconds": burst.seconds} | {key: counts.of(*kind) for key, kind in METHODS.items()}
