"""What metrics cost: a mirror that counts requests, and one that does not, at the same time."""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

from bench import containers, load, mirror, upstream
from bench.comparison import Comparison
from bench.figures import number, shown, spread, table
from bench.load import Rate, Request
from bench.mirror import Mirror

REPOSITORY = "library/big"
COUNTED, PLAIN, CONTROL = "with metrics", "without", "another without"
GOAL = 0.98
"""Of the throughput without metrics, for the same CPU time."""
CPU = "CPU ms per request"
UNITS: Mapping[str, tuple[str, Callable[[Rate], float]]] = {
    "manifest by tag": ("requests/s", lambda rate: rate.requests),
    "manifest by digest": ("requests/s", lambda rate: rate.requests),
    "layer": ("MB/s", lambda rate: rate.bytes / 1e6),
}


def measure(of: Comparison) -> dict[str, Any]:
    """For each kind of request and both mirrors: the rate at the pod, and the CPU time of all containers.

    A third mirror, also without metrics, shows how much two equal mirrors differ.
    """
    plain, control = _without_metrics(of), _without_metrics(of)
    image = upstream.existing(of.env, REPOSITORY)
    paths = {
        "manifest by tag": f"manifests/{upstream.TAG}",
        "manifest by digest": f"manifests/{image.digest}",
        "layer": f"blobs/{image.layers[0]}",
    }
    kinds = {
        kind: {
            "compared": _compared(of, {COUNTED: of.mirror, PLAIN: plain}, kind, path),
            CONTROL: _compared(of, {CONTROL: control, PLAIN: plain}, kind, path),
        }
        for kind, path in paths.items()
    }
    return {"goal": GOAL, "clients": of.sizes.manifest_clients, "rounds": of.sizes.overhead_rounds, "kinds": kinds}


def _without_metrics(of: Comparison) -> Mirror:
    made = mirror.prepared(of.env)
    made.change("monitoring", "metrics: false")
    made.reaching("deploy")
    return made


def _compared(of: Comparison, made: Mapping[str, Mirror], kind: str, path: str) -> dict[str, Any]:
    """Two mirrors work at the same time, each on a core of its own, which they swap after each round.

    So what else the machine does slows both down. Their rates do not tell how fast one of them is; the CPU time of a
    request, which limits the throughput, does.
    """
    rates: dict[str, list[Rate]] = {side: [] for side in made}
    used = dict.fromkeys(made, 0.0)
    cores = sorted(os.sched_getaffinity(0))
    with ThreadPoolExecutor(len(made)) as together, _runs(of, made, path) as runs:
        for number_of_round in range(of.sizes.overhead_rounds):
            places = (cores[(number_of_round + place) % len(cores)] for place in range(len(runs)))
            started = {side: together.submit(run, core) for (side, run), core in zip(runs.items(), places, strict=True)}
            for side, future in started.items():
                rate, cpu = future.result()
                rates[side].append(rate)
                used[side] += cpu
    cost = {side: 1000 * used[side] / sum(rate.answers for rate in rates[side]) for side in made}
    of_kind = UNITS[kind][1]
    sides = {side: {"rate": spread([of_kind(rate) for rate in rates[side]]), CPU: cost[side]} for side in made}
    first, second = cost.values()
    return {**sides, "ratio": float(f"{second / first:.3g}")}


@contextmanager
def _runs(
    of: Comparison, made: Mapping[str, Mirror], path: str
) -> Iterator[Mapping[str, Callable[[int], tuple[Rate, float]]]]:
    """What measures each mirror on a core; afterwards, their containers may run on all cores again."""
    running = {side: containers.running(each) for side, each in made.items()}
    requests = {side: of.at_pod(each).request(REPOSITORY, path) for side, each in made.items()}
    for request in requests.values():
        load.measure(of.env, request, 1, 0.1)
    try:
        yield {side: partial(_measure, of, requests[side], running[side]) for side in made}
    finally:
        for of_side in running.values():
            containers.run_on(os.sched_getaffinity(0), of_side)


def _measure(of: Comparison, request: Request, running: list[containers.Container], core: int) -> tuple[Rate, float]:
    """Of one mirror; this thread starts the clients, so they are on its core."""
    containers.run_on({core}, running)
    os.sched_setaffinity(0, {core})
    before = sum(containers.cpu_seconds(running).values())
    rate = load.measure(of.env, request, of.sizes.manifest_clients, of.sizes.overhead_seconds)
    return rate, sum(containers.cpu_seconds(running).values()) - before


def report(result: dict[str, Any]) -> str:
    """The table: a row for each kind."""
    rows = []
    for kind, found in result["kinds"].items():
        sides = [found["compared"][side] for side in (COUNTED, PLAIN)]
        used = " / ".join(number(side[CPU]) for side in sides)
        ratios = (number(found[pair]["ratio"]) for pair in ("compared", CONTROL))
        rows.append((f"{kind}, {UNITS[kind][0]}", *(shown(side["rate"]) for side in sides), used, *ratios))
    head = [f"{result['clients']} clients, at the pod", COUNTED, PLAIN, f"{CPU}, with / without", "ratio", CONTROL]
    return table(head, rows)


def of_plain(found: dict[str, Any]) -> float:
    """The answers with metrics, of those without, for the same CPU time."""
    return float(found["compared"]["ratio"])
