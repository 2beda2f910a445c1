"""Starts the lab's processes in the sandbox and waits until they are ready."""

import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab import cgroups, steps
from lab.commands import last_lines
from lab.errors import LabError
from lab.instance import Instance
from lab.sandbox import Sandbox


@dataclass
class Processes:
    """Starts programs in a sandbox; each has a name, a log file of that name, and no terminal."""

    sandbox: Sandbox
    stopped: threading.Event = field(default_factory=threading.Event)
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> None:
        """Starts `command`, whose first word is the name of one of the lab's programs, as the process `name`."""
        instance = self.sandbox.instance
        words = [str(instance.programs / command[0]), *(str(word) for word in command[1:])]
        with (instance.logs / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                self.sandbox.command(words),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment() | dict(environment or {}),
                cwd="/",
                start_new_session=True,
            )
        (instance.process_ids / name).write_text(str(self._running[name].pid))

    def wait_until(self, name: str, ready: Callable[[], bool], seconds: float = 300) -> None:
        """Returns when `ready()`; raises LabError with the end of the log if the process ends or after `seconds`."""

        def ready_or_dead() -> bool:
            return self._running[name].poll() is not None or ready()

        log = self.sandbox.instance.logs / f"{name}.log"
        try:
            steps.until(ready_or_dead, name, seconds=seconds, stopped=self.stopped)
        except steps.StoppedError:
            raise
        except LabError as error:
            raise LabError(f"{error}; the end of {log}:\n{_end_of(log)}") from error
        code = self._running[name].poll()
        if code is not None:
            raise LabError(f"{name} exited with {code}; the end of {log}:\n{_end_of(log)}")

    def _environment(self) -> dict[str, str]:
        # The lab's processes must not inherit the proxies and credentials of the user who runs `up`.
        path = f"{self.sandbox.instance.programs}:/usr/sbin:/usr/bin:/sbin:/bin"
        return {"PATH": path, "HOME": str(self.sandbox.instance.state), "LANG": os.environ.get("LANG", "C.UTF-8")}


def alive(instance: Instance) -> dict[str, bool]:
    """The names of the processes that `up` started, and whether each is still running."""
    present = cgroups.processes(instance.name, cgroups.DAEMONS)
    files = sorted(instance.process_ids.glob("*"))
    return {file.name: int(file.read_text() or 0) in present for file in files}


def _end_of(log: Path) -> str:
    return last_lines(log.read_text(errors="replace"))
