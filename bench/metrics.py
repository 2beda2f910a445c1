"""What metrics cost: a mirror that counts requests, and one that does not, at the same time."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from bench import containers, load, mirror, upstream
from bench.comparison import Comparison
from bench.figures import median_interval, number, shown, spread, table
from bench.load import Rate, Request
from bench.mirror import Mirror

REPOSITORY = "library/big"
COUNTED, PLAIN = "with metrics", "without"
GOAL = 0.98
"""Of the throughput without metrics, for the same CPU time."""
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
    """Both mirrors work at the same time: what else the machine does slows both down, and their ratio stays.

    Two mirrors that share all cores do not tell how fast one of them is. They tell how much CPU time a request costs,
    and that limits the throughput.
    """
    rates: dict[str, list[float]] = {side: [] for side in made}
    used: dict[str, list[float]] = {side: [] for side in made}
    runs = {side: _run(of, made[side], path) for side in made}
    with ThreadPoolExecutor(len(runs)) as together:
        for _ in range(of.sizes.overhead_rounds):
            started = [(side, together.submit(run)) for side, run in runs.items()]
            for side, future in started:
                rate, cpu = future.result()
                rates[side].append(UNITS[kind][1](rate))
                used[side].append(1000 * cpu / rate.answers)
    sides = {side: {"rate": spread(rates[side]), CPU: spread(used[side])} for side in made}
    ratios = [plain / counted for counted, plain in zip(used[COUNTED], used[PLAIN], strict=True)]
    low, high = (float(f"{bound:.4g}") for bound in median_interval(ratios))
    return {**sides, "ratio": spread(ratios), "95 % of the ratio": {"low": low, "high": high}}


def _run(of: Comparison, mirror_of_side: Mirror, path: str) -> Callable[[], tuple[Rate, float]]:
    request = of.at_pod(mirror_of_side).request(REPOSITORY, path)
    running = containers.running(mirror_of_side)
    load.measure(of.env, request, 1, 0.1)
    return partial(_measure, of, request, running)


def _measure(of: Comparison, request: Request, running: list[containers.Container]) -> tuple[Rate, float]:
    before = sum(containers.cpu_seconds(running).values())
    rate = load.measure(of.env, request, of.sizes.manifest_clients, of.sizes.overhead_seconds)
    return rate, sum(containers.cpu_seconds(running).values()) - before


def report(result: dict[str, Any]) -> str:
    """The table: a row for each kind."""
    rows = []
    for kind, found in result["kinds"].items():
        rates = [shown(found[side]["rate"]) for side in (COUNTED, PLAIN)]
        used = [number(found[side][CPU]["median"]) for side in (COUNTED, PLAIN)]
        rows.append((f"{kind}, {UNITS[kind][0]}", *rates, of_plain_shown(found), " / ".join(used)))
    return table([f"{result['clients']} clients, at the pod", COUNTED, PLAIN, "ratio", f"{CPU}, with / without"], rows)


def of_plain(found: dict[str, Any]) -> float:
    """The answers with metrics, of those without, for the same CPU time: the median of all rounds."""
    return float(found["ratio"]["median"])


def of_plain_shown(found: dict[str, Any]) -> str:
    """The same, with its 95 % confidence interval."""
    interval = found["95 % of the ratio"]
    return f"{of_plain(found):.3g} ({interval['low']:.3g}–{interval['high']:.3g})"
