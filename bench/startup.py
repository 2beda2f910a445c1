"""How long a command takes to start, with compiled bytecode, compared with an empty Python program."""

import compileall
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import regmirror
from bench.comparison import Comparison
from bench.figures import shown, spread, table

RUNS = 15
PROGRAM = str(Path(sys.executable).parent / "regmirror")
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "regmirror --version": [PROGRAM, "--version"],
    "regmirror --help": [PROGRAM, "--help"],
}


def measure(_: Comparison) -> dict[str, Any]:
    """Milliseconds of wall time of each command, in turns."""
    _compile()
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _round in range(RUNS + 1):
        for name, words in COMMANDS.items():
            times[name].append(_run(words))
    return {
        "unit": "ms",
        "runs": RUNS,
        # Without the first run, which fills the disk cache.
        "commands": {name: spread(taken[1:]) for name, taken in times.items()},
    }


def report(result: dict[str, Any]) -> str:
    """The table."""
    rows = [(f"`{name}`", shown(found)) for name, found in result["commands"].items()]
    return table(["startup", "ms"], rows)


def _compile() -> None:
    """Compile the bytecode, as `uv tool install --compile-bytecode` does."""
    site_packages = next(entry for entry in sys.path if entry.endswith("site-packages"))
    for directory in (
        Path(regmirror.__file__).parent,
        *(Path(site_packages) / n for n in ("typer", "rich", "pydantic")),
    ):
        compileall.compile_dir(directory, quiet=2)


def _run(words: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1000
