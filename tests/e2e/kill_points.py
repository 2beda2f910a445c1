"""A command that is killed after one of its changes, in each run after a different one."""

import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.e2e.api_proxy import LAST_CHANGE, ApiProxy, Boundary
from tests.e2e.deployed_mirror import PROGRAMS, SECONDS, DeployedMirror


@dataclass
class KillableCommand:
    """Runs a command through a proxy; each run is killed at the first boundary where no run was killed before.

    ``signals`` are used in turn; None stands for an API server that is down from then on. Only every ``every``-th
    boundary is used.
    """

    mirror: DeployedMirror
    proxy: ApiProxy
    words: list[str]
    signals: Sequence[signal.Signals | None]
    every: int
    may_kill_at: Callable[[Boundary], bool] = lambda _: True
    known: list[Boundary] = field(default_factory=list)
    killed_at: list[Boundary] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None
    was_killed: bool = False

    def run(self, *options: str) -> int:
        """Run the command; returns its exit code."""
        self.proxy.begin()
        self.proxy.after = self.kill
        self.was_killed = False
        with (self.mirror.directory / "output.txt").open("a") as output, self.proxy.lock:
            self.process = subprocess.Popen(
                [str(PROGRAMS / "regmirror"), *self.words, *self.mirror.target.resolve(self.mirror.host), *options],
                cwd=self.mirror.directory,
                env=os.environ | self.mirror.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                text=True,
                start_new_session=True,
            )
        return self.process.wait(timeout=SECONDS)

    def allowed(self, codes: set[int]) -> set[int]:
        """``codes``, and 0 if a signal followed the last change: the command gets the answer, and may end before it."""
        is_late = self.was_killed and not self.proxy.is_down and self.killed_at[-1][1] == LAST_CHANGE
        return codes | {0} if is_late else codes

    def output(self) -> str:
        """The end of the output of all runs."""
        return (self.mirror.directory / "output.txt").read_text()[-3000:]

    def kill(self, boundary: Boundary) -> None:
        """Called by the proxy after a change, before it forwards the answer."""
        if self.was_killed or boundary in self.known or not self.may_kill_at(boundary):
            return
        self.known.append(boundary)
        if (len(self.known) - 1) % self.every:
            return
        number = self.signals[len(self.killed_at) % len(self.signals)]
        self.killed_at.append(boundary)
        self.was_killed = True
        assert self.process is not None
        # SIGKILL simulates a power failure: Helm is killed too, and no further request arrives.
        self.proxy.is_down = number in {None, signal.SIGKILL}
        if number is signal.SIGKILL:
            os.killpg(self.process.pid, number)
        elif number is not None:
            self.process.send_signal(number)
