"""`make bench`: runs measurements in the lab and writes bench/results/*.json and bench/results/README.md."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench import drayage, results
from bench.comparison import Comparison
from bench.environment import Environment
from bench.sizes import FULL, QUICK
from lab import target_cluster
from lab.errors import LabError


def main() -> int:
    """Start the lab and continue inside it; returns the exit code."""
    parsed = _parser().parse_args()
    try:
        if not os.environ.get("REGMIRROR_LAB"):
            _enter_lab(sys.argv[1:])
        _measure(parsed)
    except LabError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the performance of a mirror.")
    names = list(results.MEASUREMENTS)
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--quick", action="store_true", help="use small sizes, and write no results")
    return parser


def _enter_lab(arguments: Sequence[str]) -> None:
    """Replace this process; what has to be downloaded is downloaded first, because the lab has no internet access."""
    drayage.fetch()
    in_lab = [sys.executable, "-m", "lab", "run", "--up", "--", sys.executable, "-m", "bench", *arguments]
    os.execv(sys.executable, in_lab)  # noqa: S606 - this program, inside the lab


def _measure(parsed: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="regmirror-bench-") as directory, ExitStack() as stack:
        env = Environment(target_cluster.find(), Path(directory))
        stack.callback(env.remove_all)
        comparison = Comparison(env, QUICK if parsed.quick else FULL, stack)
        for name in parsed.only:
            measurement = results.MEASUREMENTS[name]
            result = measurement.measure(comparison)
            print(measurement.report(result), flush=True)
            if not parsed.quick:
                results.write(name, result)


if __name__ == "__main__":
    sys.exit(main())
