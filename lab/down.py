"""`down`: ends every process of the lab and removes every trace of it, in whatever state `up` left it."""

import contextlib
import os
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from lab import cgroups, enclosure, progress, steps
from lab.errors import LabError
from lab.instance import Instance

GRACE_SECONDS = 3
SECONDS = 30
# What a lab that comes up again takes over; the rest of its files says only how it runs.
DATA = ("certificates", "containerd", "credentials.json", "etcd", "hub", "kubelet", "s3")


def down(instance: Instance, *, keep_data: bool = False) -> None:
    """Stops the lab and removes its files, or all but its data; what is not there is no error."""
    stop(instance, gently=keep_data)
    if not instance.state.exists():
        return
    if keep_data:
        for path in instance.state.iterdir():
            if path.name not in DATA:
                _remove(path)
    else:
        _remove(instance.state)


def stop(instance: Instance, *, gently: bool = False) -> None:
    """Ends all processes and with them every namespace, link, rule and mount; removes control groups and sockets.

    Those that `run` started may end by themselves first; the lab's own only if `gently`, so that no write is cut.
    Raises LabError when called from inside the lab, which would end itself, and when something does not go away.
    """
    visitors = cgroups.processes(instance.name, cgroups.VISITORS)
    if os.getpid() in visitors:
        raise LabError("This is inside the lab (by `run`), which cannot be stopped from there: leave it first.")
    if visitors:
        progress.say(f"  ending {len(visitors)} processes that `run` started")
        _terminate(instance, lambda: cgroups.processes(instance.name, cgroups.VISITORS))
    if gently:
        _terminate(instance, lambda: enclosure.inhabitants(instance))
    _until(lambda: not _kill(cgroups.all_processes(instance.name)), f"The end of all processes of {instance.name}")
    _until(lambda: cgroups.remove(instance.name), f"The end of the control groups /{instance.name}")
    _remove(instance.run)
    instance.record.unlink(missing_ok=True)


def _terminate(instance: Instance, processes: Callable[[], set[int]]) -> None:
    """Asks `processes` to end and waits a little until they have."""
    _kill(processes(), signal.SIGTERM)
    with contextlib.suppress(LabError):
        _until(lambda: not processes(), f"The end of some processes of {instance.name}", seconds=GRACE_SECONDS)


def _kill(processes: set[int], number: signal.Signals = signal.SIGKILL) -> set[int]:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)
    return processes


def _until(condition: Callable[[], bool], what: str, seconds: float = SECONDS) -> None:
    steps.until(condition, what, seconds=seconds, stopped=threading.Event())


def _remove(path: Path) -> None:
    """Removes a file or a tree; raises LabError with what could not be removed."""
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise LabError(f"Cannot remove {error.filename}: {error.strerror}.") from error
