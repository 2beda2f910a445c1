"""`make demo`: shows and runs the real commands, in the lab or on your own cluster."""

import os
import sys

from demo import tour
from demo.show import DemoError, say
from lab import target_cluster
from lab.errors import LabError


def main() -> int:
    """Start the lab and continue inside it, or use the cluster of CONTEXT; returns the exit code."""
    if not os.environ.get("CONTEXT") and not os.environ.get("REGMIRROR_LAB"):
        in_lab = [sys.executable, "-m", "lab", "run", "--up", "--keep", "--", sys.executable, "-m", "demo"]
        os.execv(sys.executable, in_lab)  # noqa: S606 - this program, inside the lab
    try:
        tour.run_all(target_cluster.find())
    except (LabError, DemoError) as error:
        say(f"demo: {error}")
        return 1
    except KeyboardInterrupt:
        say("demo: interrupted; run it again to continue")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
