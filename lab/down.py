"""`down`: stops every process of the lab and removes everything it created, in any state."""

import contextlib
import os
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from lab import cgroups, progress, sandbox, steps
from lab.errors import LabError
from lab.instance import Instance

GRACE_SECONDS = 3
SECONDS = 30
# Kept by `down --keep-data` for the next `up`; all other files describe the running lab.
DATA = ("certificates", "containerd", "credentials.json", "etcd", "hub", "kubelet", "s3")


def down(instance: Instance, *, keep_data: bool = False) -> None:
    """Stops the lab and removes its files; with `keep_data`, keeps DATA. Does nothing if there is no lab."""
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
    """Stops all processes, and with them every namespace, link, rule and mount; removes control groups and sockets.

    Processes that `run` started get SIGTERM first. With `gently`, so do the lab's daemons, which then complete their
    writes. Raises LabError if called from inside the lab, and if something cannot be removed.
    """
    guests = cgroups.processes(instance.name, cgroups.GUESTS)
    if os.getpid() in guests:
        raise LabError("cannot stop the lab from inside (this shell runs in `python -m lab run`): exit the shell first")
    if guests:
        progress.say(f"  stopping {len(guests)} processes that `run` started")
        _terminate(instance, lambda: cgroups.processes(instance.name, cgroups.GUESTS))
    if gently:
        _terminate(instance, lambda: sandbox.daemons(instance))
    _until(lambda: not _kill(cgroups.all_processes(instance.name)), f"the end of all processes of {instance.name}")
    _until(lambda: cgroups.remove(instance.name), f"the removal of the control groups /{instance.name}")
    _remove(instance.run)
    instance.lab_info.unlink(missing_ok=True)


def _terminate(instance: Instance, processes: Callable[[], set[int]]) -> None:
    """Sends SIGTERM to `processes` and waits a few seconds until they have ended."""
    _kill(processes(), signal.SIGTERM)
    with contextlib.suppress(LabError):
        _until(lambda: not processes(), f"the end of the processes of {instance.name}", seconds=GRACE_SECONDS)


def _kill(processes: set[int], number: signal.Signals = signal.SIGKILL) -> set[int]:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)
    return processes


def _until(condition: Callable[[], bool], what: str, seconds: float = SECONDS) -> None:
    steps.until(condition, what, seconds=seconds, stopped=threading.Event())


def _remove(path: Path) -> None:
    """Removes a file or a tree; raises LabError with the path that cannot be removed."""
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise LabError(f"cannot remove {error.filename}: {error.strerror}") from error
