"""A command that is struck after one of its changes, again and again, each time after another one."""

import os
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.e2e.api_proxy import ApiGate, Boundary
from tests.e2e.deployed_mirror import PROGRAMS, Deployment


@dataclass
class Mortal:
    """Runs of a command through a gate; each is struck at the first boundary where none was struck before.

    ``signals`` take turns; None stands for an API server that is gone from then on. Of the boundaries that are known,
    each ``every``-th is struck at.
    """

    mirror: Deployment
    gate: ApiGate
    words: list[str]
    signals: Sequence[signal.Signals | None]
    every: int
    aims_at: Callable[[Boundary], bool] = lambda _: True
    known: list[Boundary] = field(default_factory=list)
    struck: list[Boundary] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None
    is_struck: bool = False

    def run(self, *options: str) -> int:
        """Run it; gives its exit code."""
        self.gate.begin()
        self.gate.after = self.strike
        self.is_struck = False
        with (self.mirror.directory / "said.txt").open("a") as said, self.gate.lock:
            self.process = subprocess.Popen(
                [str(PROGRAMS / "regmirror"), *self.words, *self.mirror.setting.resolve(self.mirror.host), *options],
                cwd=self.mirror.directory,
                env=os.environ | self.mirror.environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                text=True,
                start_new_session=True,
            )
        return self.process.wait(timeout=600)

    def said(self) -> str:
        """The end of what all runs have said."""
        return (self.mirror.directory / "said.txt").read_text()[-3000:]

    def strike(self, boundary: Boundary) -> None:
        """Called by the gate, which holds back the answer to the change that was just made."""
        if self.is_struck or boundary in self.known or not self.aims_at(boundary):
            return
        self.known.append(boundary)
        if (len(self.known) - 1) % self.every:
            return
        number = self.signals[len(self.struck) % len(self.signals)]
        self.struck.append(boundary)
        self.is_struck = True
        assert self.process is not None
        # SIGKILL is as when its machine ends: Helm dies with it, and nothing that it has still sent arrives.
        self.gate.is_shut = number in {None, signal.SIGKILL}
        if number is signal.SIGKILL:
            os.killpg(self.process.pid, number)
        elif number is not None:
            self.process.send_signal(number)
