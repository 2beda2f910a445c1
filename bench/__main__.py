"""`make bench`: runs every measurement in the lab and writes bench/results/*.json and bench/results/README.md."""

import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import bare, cold, commands, deploying, memory, pulls, startup, store
from bench.place import Place
from lab import setting
from lab.errors import LabError

RESULTS = Path(__file__).parent / "results"
HEAD = """\
# Results

Written by `make bench`, in the lab, with everything on one machine: load, Ingress, mirror, S3 server and upstream share
its cores, so that ratios mean more than figures. Sides are measured in turns. Figures are medians, with minimum and
maximum behind them. What the sides are, and what stands behind the figures: [performance](../../docs/explanation/performance.md).

"""


def main() -> int:
    """Bring the lab up and continue inside of it; gives the exit code."""
    if not os.environ.get("REGMIRROR_LAB"):
        again = [sys.executable, "-m", "lab", "run", "--up", "--", sys.executable, "-m", "bench", *sys.argv[1:]]
        os.execv(sys.executable, again)  # noqa: S606 - ourselves, within the lab
    try:
        with tempfile.TemporaryDirectory(prefix="regmirror-bench-") as directory:
            _measure(Place(setting.find(), Path(directory)))
    except LabError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _measure(place: Place) -> None:
    began = time.monotonic()
    report = Report()
    report.add("startup", startup.measure(), startup.report)
    found, mirror, seed = deploying.measure(place)
    report.add("deploy", found, deploying.report)
    report.add("commands", commands.measure(mirror), commands.report)
    idle = memory.now(mirror)
    with bare.serving(place.directory / "bare") as address, memory.watched(mirror) as load:
        hot = pulls.hot(place, mirror, seed, address)
        report.add("pulls", hot, lambda result: pulls.report(result, {pulls.OURS: pulls.SEED}))
        report.add("cold", cold.measure(place, mirror), cold.report)
    report.add("memory", memory.result(mirror, idle, load), memory.report)
    place.remove(seed)
    store.expose(place, mirror.namespace)
    mirror.change("storage", "redirect: true", f"redirectEndpoint: https://{store.host(place, mirror.namespace)}")
    mirror.reaching("deploy")
    redirected = pulls.redirected(place, mirror)
    report.add("redirect", redirected, lambda result: pulls.report(result, {pulls.REDIRECT: pulls.S3}))
    report.write(time.monotonic() - began)


class Report:
    """What was measured so far: a file of each measurement, and at the end one of all tables."""

    def __init__(self) -> None:
        self._tables: list[str] = []
        RESULTS.mkdir(exist_ok=True)

    def add(self, name: str, result: dict[str, Any], report: Callable[[dict[str, Any]], str]) -> None:
        """Write a measurement's figures to a file of its own, and print its table."""
        (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
        self._tables.append(report(result))
        print(self._tables[-1], flush=True)

    def write(self, seconds: float) -> None:
        """Write all tables into one file."""
        machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
        foot = f"{machine}, Python {platform.python_version()}; measured within {seconds / 60:.0f} minutes.\n"
        (RESULTS / "README.md").write_text(HEAD + "\n".join([*self._tables, foot]))
        print(f"Written to {os.path.relpath(RESULTS)}.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
