"""Runs pytest in several labs at once: ``python -m tests.in_labs [ARGUMENT OF PYTEST ...]``.

Each worker of pytest-xdist is in the network of its own lab, and takes one file of tests after the other. Most tests
wait for the cluster, so two labs need little more than half the time of one. REGMIRROR_LABS sets their number.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from lab import down, interrupts, locks, progress
from lab import up as starting
from lab.errors import CannotRunHereError, LabError
from lab.instance import Instance

LABS = 2


def main(arguments: Sequence[str]) -> int:
    """Start the labs, run pytest, and stop the labs; returns the exit code of pytest."""
    with interrupts.handled_by(dict.fromkeys(interrupts.SIGNALS, interrupts.raise_interrupt)):
        try:
            return _in_labs(_instances(int(os.environ.get("REGMIRROR_LABS", LABS))), arguments)
        except CannotRunHereError as error:
            progress.say(f"lab: {error}; continuing without the lab")
            return _pytest(arguments, REGMIRROR_LAB_MISSING=str(error))
        except LabError as error:
            progress.say(f"lab: {error}")
            return error.exit_code
        except KeyboardInterrupt:
            progress.say("interrupted")
            return 130


def _instances(number: int) -> list[Instance]:
    first = Instance.from_environment()
    names = [first.name, *(f"{first.name}-{index}" for index in range(2, number + 1))]
    return [
        replace(first, name=name, state=first.state.with_name(name), run=first.run.with_name(name)) for name in names
    ]


def _in_labs(instances: list[Instance], arguments: Sequence[str]) -> int:
    with ExitStack() as stack:
        for instance in instances:
            if starting.up(instance):
                stack.callback(_stop, instance)
        # pytest-xdist starts its workers with a command line instead of a Python of this machine.
        workers = [f"--tx=popen//python={shlex.join(_python_in(instance))}" for instance in instances]
        return _pytest([*workers, "--dist=loadfile", "--no-loadscope-reorder", *arguments])


def _python_in(instance: Instance) -> list[str]:
    lab = ["env", f"REGMIRROR_LAB_INSTANCE={instance.name}", sys.executable, "-m", "lab", "run", "--"]
    return [*lab, sys.executable]


def _pytest(arguments: Sequence[str], **environment: str) -> int:
    command = [str(Path(sys.executable).with_name("pytest")), *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, check=False).returncode


def _stop(instance: Instance) -> None:
    with interrupts.ignored(), locks.held(locks.MACHINE, "is starting or stopping a lab"):
        down.down(instance, keep_data=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
