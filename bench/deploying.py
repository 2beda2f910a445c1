"""How long a deployment into an empty namespace takes, compared with a script of the recipe's steps."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from bench import mirror, seed
from bench.comparison import Comparison
from bench.figures import ratio, shown, spread, table

OURS, RECIPE, EAGER = (
    "regmirror deploy",
    "recipe script",
    "the same, readiness probes every second",
)


def measure(of: Comparison) -> dict[str, Any]:
    """Seconds of each, in turns."""
    env = of.env
    taken: dict[str, list[float]] = {OURS: [], RECIPE: [], EAGER: []}
    for _ in range(of.sizes.rounds):
        eager = seed.prepared(env, eager=True)
        taken[EAGER].append(timed(partial(seed.deploy, env, eager)))
        env.remove(eager)
        made, other = mirror.prepared(env), seed.prepared(env)
        taken[OURS].append(timed(partial(made.reaching, "deploy")))
        taken[RECIPE].append(timed(partial(seed.deploy, env, other)))
        env.remove(made.namespace)
        env.remove(other)
    figures = {name: spread(times) for name, times in taken.items()}
    ratios = {name: ratio(figures[OURS], figures[name]) for name in (RECIPE, EAGER)}
    return {"unit": "s", "rounds": of.sizes.rounds, "figures": figures, "ratios": ratios, "goal": 0.5}


def report(result: dict[str, Any]) -> str:
    """The table."""
    ratios = result["ratios"]
    rows = [(name, shown(figures), ratios.get(name, "")) for name, figures in result["figures"].items()]
    return table(["from an empty namespace", "seconds", "regmirror / this (goal: at most 0.5)"], rows)


def timed(work: Callable[[], object]) -> float:
    """Seconds that ``work`` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
