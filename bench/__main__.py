"""`make bench`: runs all measurements in the lab and writes bench/results/*.json and bench/results/README.md."""

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
from bench.environment import Environment
from lab import target_cluster
from lab.errors import LabError

RESULTS = Path(__file__).parent / "results"
HEAD = """\
# Results

Written by `make bench`. All parts run in the lab on one machine: load generator, Ingress controller, mirror, S3 server
and upstream share its cores, so ratios are more meaningful than absolute values. The compared programs are measured in
turns. Values are medians, with minimum and maximum in parentheses.
[Performance](../../docs/explanation/performance.md) describes the programs and explains the results.

"""


def main() -> int:
    """Start the lab and continue inside it; returns the exit code."""
    if not os.environ.get("REGMIRROR_LAB"):
        in_lab = [sys.executable, "-m", "lab", "run", "--up", "--", sys.executable, "-m", "bench", *sys.argv[1:]]
        os.execv(sys.executable, in_lab)  # noqa: S606 - this program, inside the lab
    try:
        with tempfile.TemporaryDirectory(prefix="regmirror-bench-") as directory:
            _measure(Environment(target_cluster.find(), Path(directory)))
    except LabError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _measure(env: Environment) -> None:
    began = time.monotonic()
    report = Report()
    report.add("startup", startup.measure(), startup.report)
    found, mirror, seed = deploying.measure(env)
    report.add("deploy", found, deploying.report)
    report.add("commands", commands.measure(mirror), commands.report)
    idle = memory.now(mirror)
    with bare.serving(env.directory / "bare") as address, memory.watched(mirror) as load:
        hot = pulls.hot(env, mirror, seed, address)
        report.add("pulls", hot, lambda result: pulls.report(result, {pulls.OURS: pulls.SEED}))
        report.add("cold", cold.measure(env, mirror), cold.report)
    report.add("memory", memory.result(mirror, idle, load), memory.report)
    env.remove(seed)
    store.expose(env, mirror.namespace)
    mirror.change("storage", "redirect: true", f"redirectEndpoint: https://{store.host(env, mirror.namespace)}")
    mirror.reaching("deploy")
    redirected = pulls.redirected(env, mirror)
    report.add("redirect", redirected, lambda result: pulls.report(result, {pulls.REDIRECT: pulls.S3}))
    report.write(time.monotonic() - began)


class Report:
    """The results: a JSON file for each measurement, and one Markdown file with all tables."""

    def __init__(self) -> None:
        self._tables: list[str] = []
        RESULTS.mkdir(exist_ok=True)

    def add(self, name: str, result: dict[str, Any], report: Callable[[dict[str, Any]], str]) -> None:
        """Write the JSON file of a measurement, and print its table."""
        (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
        self._tables.append(report(result))
        print(self._tables[-1], flush=True)

    def write(self, seconds: float) -> None:
        """Write the Markdown file."""
        machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
        foot = f"{machine}, Python {platform.python_version()}; measured in {seconds / 60:.0f} minutes.\n"
        (RESULTS / "README.md").write_text(HEAD + "\n".join([*self._tables, foot]))
        print(f"results written to {os.path.relpath(RESULTS)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
