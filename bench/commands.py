"""How long the commands take on a mirror that serves and needs nothing."""

from functools import partial
from typing import Any

from bench.deploying import timed
from bench.figures import shown, spread, table
from bench.mirror import Mirror

ROUNDS = 5
COMMANDS: dict[str, float | None] = {"deploy": 2.0, "diff": 2.0, "verify": None, "status": None}
"""Each command, with the seconds that it may take."""


def measure(mirror: Mirror) -> dict[str, Any]:
    """Seconds of each command, in turns; the first run of each has filled caches and does not count."""
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS + 1):
        for name in COMMANDS:
            taken[name].append(timed(partial(run, mirror, name)))
    figures = {name: {"seconds": spread(times[1:]), "goal": COMMANDS[name]} for name, times in taken.items()}
    return {"unit": "s", "rounds": ROUNDS, "figures": figures}


def run(mirror: Mirror, command: str) -> None:
    """Run a command; all but diff ask the public host."""
    mirror.regmirror(command) if command == "diff" else mirror.reaching(command)


def report(result: dict[str, Any]) -> str:
    """The table."""
    rows = [
        (f"regmirror {name}", shown(found["seconds"]), found["goal"] or "") for name, found in result["figures"].items()
    ]
    return table(["on a mirror that needs nothing", "seconds", "goal: at most"], rows)
