"""`make demo`: the real commands, one after another, each shown before it runs, on the lab or on a cluster of yours."""

import os
import sys

from demo import tour
from demo.show import DemoError, say
from lab import setting
from lab.errors import LabError


def main() -> int:
    """Bring the lab up and continue inside of it, or go to the cluster of CONTEXT; gives the exit code."""
    if not os.environ.get("CONTEXT") and not os.environ.get("REGMIRROR_LAB"):
        again = [sys.executable, "-m", "lab", "run", "--up", "--keep", "--", sys.executable, "-m", "demo"]
        os.execv(sys.executable, again)  # noqa: S606 - ourselves, within the lab
    try:
        tour.take(setting.find())
    except (LabError, DemoError) as error:
        say(f"demo: {error}")
        return 1
    except KeyboardInterrupt:
        say("demo: interrupted; it can be started again, and goes on from where it was")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
