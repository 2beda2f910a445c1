"""How long commands take on a mirror that is up to date."""

from functools import partial
from typing import Any

from bench.comparison import Comparison
from bench.deploying import timed
from bench.figures import shown, spread, table
from bench.mirror import Mirror

COMMANDS: dict[str, float | None] = {"deploy": 2.0, "diff": 2.0, "verify": None, "status": None}
"""The commands, with the goal in seconds."""


def measure(of: Comparison) -> dict[str, Any]:
    """Seconds of each command, in turns; without the first run, which fills caches."""
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(of.sizes.command_rounds + 1):
        for name in COMMANDS:
            taken[name].append(timed(partial(run, of.mirror, name)))
    figures = {name: {"seconds": spread(times[1:]), "goal": COMMANDS[name]} for name, times in taken.items()}
    return {"unit": "s", "rounds": of.sizes.command_rounds, "figures": figures}


def run(mirror: Mirror, command: str) -> None:
    """Run a command; all except diff connect to the public host."""
    mirror.regmirror(command) if command == "diff" else mirror.reaching(command)


def report(result: dict[str, Any]) -> str:
    """The table."""
    rows = [
        (f"regmirror {name}", shown(found["seconds"]), found["goal"] or "") for name, found in result["figures"].items()
    ]
    return table(["on an up-to-date mirror", "seconds", "goal: at most"], rows)
