"""``regmirror status --watch``: a live screen on a terminal, one report after the other elsewhere."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from regmirror.cli.activity import Activity
from regmirror.cli.options import Format
from regmirror.cli.status_table import print_status, screen, wrap
from regmirror.cli.terminal import UNICODE, Terminal
from regmirror.status.report import StatusReport

Collect = Callable[[], StatusReport]
_REDRAWS = 4
"""Per second: a changed size of the window is noticed then, and the clock of the last line goes on."""


def watch(streams: Terminal, collect: Collect, pause: float) -> StatusReport:
    """Show the status again and again until nobody reads it; returns the last report. Ctrl-C raises KeyboardInterrupt.

    ``pause`` is in seconds.
    """
    is_screen = streams.stdout.is_terminal and not streams.stdout.is_dumb_terminal
    if is_screen and streams.output is Format.TABLE:
        _watch_on_screen(streams, collect, pause)
    return _watch_in_turn(streams, collect, pause)


def _watch_in_turn(streams: Terminal, collect: Collect, pause: float) -> StatusReport:
    is_first = True
    while True:
        report = collect()
        if streams.output is Format.TABLE:
            if not is_first:
                streams.result()
            print_status(streams, report)
        else:
            if streams.output is Format.YAML:
                streams.result("---")
            streams.document(report.document(), in_one_line=True)
        if streams.stdout.quiet:  # Its reader has left.
            return report
        is_first = False
        time.sleep(pause)


def _watch_on_screen(streams: Terminal, collect: Collect, pause: float) -> NoReturn:
    """Until Ctrl-C; the last state stays on the terminal."""
    shown = StatusScreen(streams, pause)
    try:
        with _interrupted_by_termination(), _live(streams.stdout, shown):
            while True:
                shown.begin()
                shown.show(collect())
                time.sleep(pause)
    finally:
        if shown.report is not None:
            print_status(streams, shown.report)


def _live(console: Console, shown: "StatusScreen") -> Live:
    return Live(
        shown, console=console, screen=True, refresh_per_second=_REDRAWS, redirect_stdout=False, redirect_stderr=False
    )


@contextmanager
def _interrupted_by_termination() -> Iterator[None]:
    """SIGTERM and SIGHUP end the command as Ctrl-C does, which leaves the terminal as it was."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass(slots=True)
class StatusScreen:
    """What is on the screen: the last report, and a line about the next one. Rich renders it from another thread."""

    streams: Terminal
    pause: float
    report: StatusReport | None = None
    _rows: dict[str, str] = field(default_factory=dict)
    _activity: Activity = field(init=False)
    _since: float = 0.0
    _is_reading: bool = True

    def __post_init__(self) -> None:
        self._activity = Activity(is_unicode=self.streams.symbols == UNICODE)

    def begin(self) -> None:
        """The state is being read."""
        self._is_reading, self._since = True, time.monotonic()

    def show(self, report: StatusReport) -> None:
        """The state was read."""
        self._rows, self.report = self._activity.rows(report), report
        self._is_reading, self._since = False, time.monotonic()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The lines that fit; the last one is about what happens next."""
        width, height = options.max_width, options.height or console.height
        lines = list(self._lines(width))
        room = max(height - 2, 1)
        if len(lines) > room:
            hidden = len(lines) - room + 1
            lines = [*lines[: room - 1], (f"{hidden} more lines: enlarge the window", "dim")]
        lines += [("", None)] * (height - 1 - len(lines))
        for text, style in [*lines, (self._next(), "dim")][:height]:
            yield Text(text[:width], style=style or "", no_wrap=True, overflow="crop", end="\n")

    def _lines(self, width: int) -> Iterator[tuple[str, str | None]]:
        if self.report is None:
            return
        for text, style in screen(self.report, self.streams.symbols, self._rows):
            for line in wrap(self.streams.hint(text), width):
                yield line, style

    def _next(self) -> str:
        passed = time.monotonic() - self._since
        if self._is_reading:
            return f"reading the state, {passed:.0f} s  (Ctrl-C quits)"
        return f"next in {max(0.0, self.pause - passed):.0f} s  (Ctrl-C quits)"
