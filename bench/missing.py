"""Many clients that ask at once for a tag that does not exist, or that the upstream refuses."""

import secrets
from contextlib import nullcontext
from typing import Any

from bench import load, upstream
from bench.comparison import Comparison
from bench.figures import shown, spread, table
from bench.sides import Side

REPOSITORY = "library/big"
GOAL = 0.5
CASES = {"a tag that does not exist": 0, "the upstream answers 429": 429, "the upstream answers 503": 503}


def measure(of: Comparison) -> dict[str, Any]:
    """For each case and side: seconds until all clients are answered, and the statuses of the last round."""
    cases = {case: _case(of, status) for case, status in CASES.items()}
    sizes = of.sizes
    return {"unit": "s", "goal": GOAL, "clients": sizes.missing_clients, "rounds": sizes.rounds, "cases": cases}


def report(result: dict[str, Any]) -> str:
    """The table."""
    sides = list(next(iter(result["cases"].values())))
    rows = [(case, *(_cell(found[side]) for side in sides)) for case, found in result["cases"].items()]
    return table([f"{result['clients']} clients at once, seconds (statuses)", *sides], rows)


def _cell(found: dict[str, Any]) -> str:
    statuses = ", ".join(found["statuses"])
    return f"{shown(found['seconds'])}: {statuses}"


def _case(of: Comparison, status: int) -> dict[str, Any]:
    bursts: dict[str, list[load.Burst]] = {side.name: [] for side in of.sides}
    with upstream.refusing(of.env, status) if status else nullcontext():
        for _ in range(of.sizes.rounds):
            for side in of.sides:
                bursts[side.name].append(_burst(of, side))
    return {
        side: {"seconds": spread([one.seconds for one in found]), "statuses": found[-1].statuses}
        for side, found in bursts.items()
    }


def _burst(of: Comparison, side: Side) -> load.Burst:
    request = side.request(REPOSITORY, f"manifests/{secrets.token_hex(8)}")
    return load.once(of.env, request, of.sizes.missing_clients)
