"""`make bench`: runs every measurement and writes bench/results/*.json."""

import json
import platform
import sys
from pathlib import Path
from typing import Any

from bench import startup

RESULTS = Path(__file__).parent / "results"
MEASUREMENTS = {"startup": startup.measure}


def main() -> int:
    """Measure, write the figures, and print them."""
    RESULTS.mkdir(exist_ok=True)
    for name, measure in MEASUREMENTS.items():
        result: dict[str, Any] = {"python": platform.python_version(), **measure()}
        (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
        print(f"{name}: {json.dumps(result, indent=2)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
