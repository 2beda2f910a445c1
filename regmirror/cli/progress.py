"""Shows the steps of a command: live on a terminal, one line per step elsewhere."""

import re
from types import TracebackType
from typing import Self

from rich.progress import Progress, SpinnerColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from regmirror.cli.terminal import UNICODE, Terminal
from regmirror.errors import RegmirrorError

_WIDTH = 24


class _LineColumn(TextColumn):
    """Title, clock and reason of a waiting step in one line: on a narrow terminal the end of the reason is cut off."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__("")
        self._terminal = terminal

    def render(self, task: Task) -> Text:
        """The line, as wide as the terminal has room next to the spinner."""
        clock = TimeElapsedColumn().render(task)
        line = f"{task.description:<{_WIDTH}} {clock} {task.fields['reason']}"
        room = self._terminal.stderr.width - len("⠋ ") - 1
        ellipsis = "…" if self._terminal.symbols == UNICODE else "..."
        return Text(line if len(line) <= room else line[: room - len(ellipsis)] + ellipsis, no_wrap=True)


class StepProgress:
    """The Progress of a command, on standard error."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._tasks: dict[str, TaskID] = {}
        self.warnings: list[str] = []
        """The warnings that were shown."""
        self._live = Progress(
            SpinnerColumn("dots" if terminal.symbols == UNICODE else "line"),
            _LineColumn(terminal),
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

    def warning(self, text: str) -> None:
        """Something needs attention before the steps that follow."""
        self.warnings.append(text)
        self._terminal.info(f"{self._terminal.symbols.warning} {text}", "yellow")

    def started(self, title: str) -> None:
        """A step begins."""
        self._tasks[title] = self._live.add_task(title, reason="")

    def waiting(self, title: str, reason: str) -> None:
        """A running step waits for something; what explains the wait best is shown next to it."""
        self._live.update(self._tasks[title], reason=_in_short(reason))

    def finished(self, title: str, detail: str, *, changed: bool = False, skipped: bool = False) -> None:
        """A step succeeded."""
        symbol = self._terminal.symbols.skipped if skipped else self._terminal.symbols.ok
        style = "dim" if skipped else "green" if changed else None
        self._end(title, f"{symbol} {title:<{_WIDTH}} {detail}", style)

    def failed(self, title: str, error: RegmirrorError) -> None:
        """A step failed; the error itself is shown at the end."""
        self._end(title, f"{self._terminal.symbols.error} {title:<{_WIDTH}} {error.code}, see below", "red")

    def skipped(self, title: str, reason: str) -> None:
        """A step was not run."""
        self._terminal.info(f"{self._terminal.symbols.skipped} {title:<{_WIDTH}} {reason}", "dim")

    def _end(self, title: str, line: str, style: str | None) -> None:
        self._live.remove_task(self._tasks.pop(title))
        self._terminal.info(line, style)


def _in_short(reason: str) -> str:
    """Why it takes so long if that is known, without the long name of a pod; otherwise what is awaited."""
    awaited, *why = reason.splitlines() or [""]
    return re.sub(r"^(?:pod \S+|RM\d+): ", "", why[0].strip()) if why else awaited
