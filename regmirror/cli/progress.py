"""Shows the steps of a deployment: live on a terminal, one line a step elsewhere."""

from types import TracebackType
from typing import Self

from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from regmirror.cli.terminal import Terminal
from regmirror.errors import RegmirrorError
from regmirror.steps.step import Done

_WIDTH = 24


class StepProgress:
    """The Progress of a deployment, on standard error."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._tasks: dict[str, TaskID] = {}
        self._live = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            TextColumn("{task.fields[reason]}", markup=False),
            console=terminal.stderr,
            transient=True,
            disable=not terminal.stderr.is_terminal,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def started(self, title: str) -> None:
        """A step begins."""
        self._tasks[title] = self._live.add_task(f"{title:<{_WIDTH}}", reason="")

    def waiting(self, title: str, reason: str) -> None:
        """A running step waits for something; the first line of why is shown beside it."""
        self._live.update(self._tasks[title], reason="; ".join(map(str.strip, reason.splitlines()[:2])))

    def finished(self, title: str, done: Done) -> None:
        """A step ended well."""
        self._end(
            title, f"{self._terminal.symbols.ok} {title:<{_WIDTH}} {done.detail}", "green" if done.changed else None
        )

    def failed(self, title: str, error: RegmirrorError) -> None:
        """A step failed; the error itself is told at the end."""
        self._end(title, f"{self._terminal.symbols.error} {title:<{_WIDTH}} {error.code}, see below", "red")

    def skipped(self, title: str, reason: str) -> None:
        """A step was not tried."""
        self._terminal.info(f"- {title:<{_WIDTH}} {reason}", "dim")

    def _end(self, title: str, line: str, style: str | None) -> None:
        self._live.remove_task(self._tasks.pop(title))
        self._terminal.info(line, style)
