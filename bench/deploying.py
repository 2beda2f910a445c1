"""How long it takes from an empty namespace to a mirror, beside a script of the recipe's steps."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from bench import mirror, seed
from bench.figures import ratio, shown, spread, table
from bench.mirror import Mirror
from bench.place import Place

ROUNDS = 3
OURS, RECIPE, EAGER = (
    "regmirror deploy",
    "script of the recipe",
    "the same, its pods asked every second",
)


def measure(place: Place) -> tuple[dict[str, Any], Mirror, str]:
    """Seconds of each, in turns; also gives the last mirror and the last seed's namespace, which stay."""
    taken: dict[str, list[float]] = {OURS: [], RECIPE: [], EAGER: []}
    for number in range(ROUNDS):
        eager = seed.prepared(place, eager=True)
        taken[EAGER].append(timed(partial(seed.deploy, place, eager)))
        place.remove(eager)
        made, other = mirror.prepared(place), seed.prepared(place)
        taken[OURS].append(timed(partial(made.reaching, "deploy")))
        taken[RECIPE].append(timed(partial(seed.deploy, place, other)))
        if number < ROUNDS - 1:
            place.remove(made.namespace)
            place.remove(other)
    figures = {name: spread(times) for name, times in taken.items()}
    ratios = {name: ratio(figures[OURS], figures[name]) for name in (RECIPE, EAGER)}
    return {"unit": "s", "rounds": ROUNDS, "figures": figures, "ratios": ratios, "goal": 0.5}, made, other


def report(result: dict[str, Any]) -> str:
    """The table."""
    ratios = result["ratios"]
    rows = [(name, shown(figures), ratios.get(name, "")) for name, figures in result["figures"].items()]
    return table(["from an empty namespace", "seconds", "regmirror / this (goal: at most 0.5)"], rows)


def timed(work: Callable[[], object]) -> float:
    """Seconds that some work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
