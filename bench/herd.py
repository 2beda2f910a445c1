"""Many clients that pull one new layer at once, over an upstream line of limited speed, and the same when cached."""

from typing import Any

from bench import bare, load, upstream
from bench.comparison import Comparison
from bench.figures import number, shown, spread, table
from bench.sides import Side
from bench.sizes import Herd

Round = dict[str, float]


def measure(of: Comparison) -> dict[str, Any]:
    """For each number of clients and each side: seconds, first byte and layers that left the upstream."""
    herds = {str(herd.clients): _herd(of, herd) for herd in of.sizes.herds}
    return {"unit": "s", "bytes": of.sizes.layer, "line": of.sizes.line, "herds": herds}


def report(result: dict[str, Any]) -> str:
    """The tables."""
    return "\n".join(_table(clients, sides) for clients, sides in result["herds"].items())


def _table(clients: str, sides: dict[str, Any]) -> str:
    head = [f"{clients} clients, one new layer", "seconds", "first byte, s", "layers sent by the upstream", "cached, s"]
    rows = [
        (
            side,
            shown(found["seconds"]),
            shown(found["first byte"]),
            number(found["layers"]["median"]),
            shown(found["cached"]),
        )
        for side, found in sides.items()
    ]
    return table(head, rows)


def _herd(of: Comparison, herd: Herd) -> dict[str, Any]:
    """All sides in each round, so that other load on the machine affects all of them."""
    sides = [side for side in of.sides if herd.with_bare or side.name != bare.NAME]
    rounds: dict[str, list[Round]] = {side.name: [] for side in sides}
    for _ in range(herd.rounds):
        for side in sides:
            rounds[side.name].append(_round(of, side, herd.clients))
    return {side: {key: spread([one[key] for one in found]) for key in found[0]} for side, found in rounds.items()}


def _round(of: Comparison, side: Side, clients: int) -> Round:
    image = upstream.offer(of.env, of.sizes.layer)
    request = side.request(image.repository, f"blobs/{image.layers[0]}")
    with upstream.line(of.env, of.sizes.line):
        upstream.reset(of.env)
        cold = _complete(load.once(of.env, request, clients), clients)
        sent = upstream.counts(of.env).layer_bytes / of.sizes.layer
        # A client of its own, so that the layer is surely complete in the cache.
        load.once(of.env, request, 1)
        cached = _complete(load.once(of.env, request, clients), clients)
    return {
        "seconds": cold.seconds,
        "first byte": cold.first_byte,
        "layers": round(sent, 2),
        "cached": cached.seconds,
        "new / cached": cold.seconds / cached.seconds,
    }


def _complete(burst: load.Burst, clients: int) -> load.Burst:
    if burst.statuses != {"200": clients}:
        raise RuntimeError(f"{clients} clients got {burst.statuses}")
    return burst
