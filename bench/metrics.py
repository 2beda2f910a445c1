"""What metrics cost: a mirror that counts requests, and one that does not, in turns."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from bench import containers, load, mirror, upstream
from bench.comparison import Comparison
from bench.figures import number, shown, spread, table
from bench.load import Rate, Request
from bench.mirror import Mirror

REPOSITORY = "library/big"
COUNTED, PLAIN = "with metrics", "without"
GOAL = 0.98
"""Of the throughput without metrics."""
CPU = "CPU ms per request"
UNITS: Mapping[str, tuple[str, Callable[[Rate], float]]] = {
    "manifest by tag": ("requests/s", lambda rate: rate.requests),
    "manifest by digest": ("requests/s", lambda rate: rate.requests),
    "layer": ("MB/s", lambda rate: rate.bytes / 1e6),
}


def measure(of: Comparison) -> dict[str, Any]:
    """For each kind of request and both mirrors: the rate at the pod, and the CPU time of all containers."""
    plain = mirror.prepared(of.env)
    plain.change("monitoring", "metrics: false")
    plain.reaching("deploy")
    image = upstream.existing(of.env, REPOSITORY)
    paths = {
        "manifest by tag": f"manifests/{upstream.TAG}",
        "manifest by digest": f"manifests/{image.digest}",
        "layer": f"blobs/{image.layers[0]}",
    }
    made = {COUNTED: of.mirror, PLAIN: plain}
    kinds = {kind: _rounds(of, made, kind, path) for kind, path in paths.items()}
    return {"goal": GOAL, "clients": of.sizes.manifest_clients, "rounds": of.sizes.overhead_rounds, "kinds": kinds}


def _rounds(of: Comparison, made: Mapping[str, Mirror], kind: str, path: str) -> dict[str, Any]:
    """The order changes with each round, so that neither mirror is always the second one.

    What else the machine does changes both rates of a round: their ratio is more exact than that of the medians.
    """
    rates: dict[str, list[float]] = {side: [] for side in made}
    used: dict[str, list[float]] = {side: [] for side in made}
    rounds = [_round(of, made[side], path, kind) for side in made]
    for number_of_round in range(of.sizes.overhead_rounds):
        for side, run in list(zip(made, rounds, strict=True))[:: 1 if number_of_round % 2 else -1]:
            rate, cpu = run()
            rates[side].append(rate)
            used[side].append(cpu)
    sides = {side: {"rate": spread(rates[side]), CPU: spread(used[side])} for side in made}
    ratios = [counted / plain for counted, plain in zip(rates[COUNTED], rates[PLAIN], strict=True)]
    return {**sides, "ratio": spread(ratios)}


def _round(of: Comparison, mirror_of_side: Mirror, path: str, kind: str) -> Callable[[], tuple[float, float]]:
    request = of.at_pod(mirror_of_side).request(REPOSITORY, path)
    running = containers.running(mirror_of_side)
    load.measure(of.env, request, 1, 0.1)
    return partial(_measure, of, request, running, kind)


def _measure(of: Comparison, request: Request, running: list[containers.Container], kind: str) -> tuple[float, float]:
    before = sum(containers.cpu_seconds(running).values())
    rate = load.measure(of.env, request, of.sizes.manifest_clients, of.sizes.overhead_seconds)
    cpu = sum(containers.cpu_seconds(running).values()) - before
    return UNITS[kind][1](rate), 1000 * cpu / (rate.requests * of.sizes.overhead_seconds)


def report(result: dict[str, Any]) -> str:
    """The table: a row for each kind."""
    rows = []
    for kind, found in result["kinds"].items():
        rates = [shown(found[side]["rate"]) for side in (COUNTED, PLAIN)]
        used = [number(found[side][CPU]["median"]) for side in (COUNTED, PLAIN)]
        rows.append((f"{kind}, {UNITS[kind][0]}", *rates, of_plain(found), " / ".join(used)))
    return table([f"{result['clients']} clients, at the pod", COUNTED, PLAIN, "ratio", f"{CPU}, with / without"], rows)


def of_plain(found: dict[str, Any]) -> float:
    """The rate with metrics, of that without: the median of all rounds."""
    return float(f"{found['ratio']['median']:.3g}")
