"""`down`: ends every process of the lab and removes every trace of it, in whatever state `up` left it."""

import contextlib
import os
import shutil
import signal
import threading

from lab import cgroups, steps
from lab.instance import Instance

SECONDS = 30


def down(instance: Instance) -> None:
    """Stops the lab and removes its files; what is not there is no error."""
    stop(instance)
    shutil.rmtree(instance.state, ignore_errors=True)


def stop(instance: Instance) -> None:
    """Ends all processes and with them every namespace, link, rule and mount; removes control groups and sockets."""
    never = threading.Event()

    def ended() -> bool:
        for process in cgroups.all_processes(instance.name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        return not cgroups.all_processes(instance.name)

    steps.until(ended, "The end of the lab's processes", seconds=SECONDS, stopped=never)
    steps.until(lambda: cgroups.remove(instance.name), "The end of the control groups", seconds=SECONDS, stopped=never)
    shutil.rmtree(instance.run, ignore_errors=True)
