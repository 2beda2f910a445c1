"""``status --watch``: what the screen shows, how it fits, and how it ends."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from regmirror.cli.activity import Activity, sparkline
from regmirror.cli.options import Format
from regmirror.cli.status_watch import StatusScreen
from regmirror.cli.terminal import ASCII, UNICODE, Terminal
from regmirror.errors import ExitCode
from regmirror.status.report import CacheReport, StatusReport
from tests import report_sample, samples
from tests.unit.test_cli import kubeconfig

ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
_PATIENCE = 120.0


def streams(width: int, height: int, symbols: object = UNICODE) -> Terminal:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None)
    assert symbols in (UNICODE, ASCII)
    return Terminal(Format.TABLE, False, console, console, UNICODE if symbols == UNICODE else ASCII)


def after(report: StatusReport, seconds: int, **changes: int) -> StatusReport:
    """A later report, with changed counters."""
    (upstream,) = report.upstreams
    assert isinstance(upstream.cache, CacheReport)
    cache = upstream.cache.model_copy(update=changes)
    return report.model_copy(
        update={
            "time": report.time + timedelta(seconds=seconds),
            "upstreams": [upstream.model_copy(update={"cache": cache})],
        }
    )


def shown(reports: list[StatusReport], width: int, height: int, symbols: object = UNICODE) -> list[str]:
    terminal = streams(width, height, symbols)
    screen = StatusScreen(terminal, 5.0)
    for report in reports:
        screen.begin()
        screen.show(report)
    with terminal.stdout.capture() as captured:
        terminal.stdout.print(screen, end="", height=height)
    return captured.get().splitlines()


@pytest.fixture
def reports() -> list[StatusReport]:
    first = report_sample.healthy().status
    return [first, after(first, 10, hits=9108, bytes_served=241_310_000_000)]


def test_the_screen_shows_what_goes_on_between_two_reports(reports: list[StatusReport]) -> None:
    lines = shown(reports, 80, 24)
    assert lines[0] == f"√ https://{samples.HOST} serves"
    assert "  now                    5 requests/s, 1.0 MB/s to clients" in lines
    assert lines[-1] == "next in 5 s  (Ctrl-C quits)"
    assert len(lines) == 24
    assert all(len(line) <= 80 for line in lines)


def test_rates_are_drawn_once_there_are_two(reports: list[StatusReport]) -> None:
    busier = after(reports[-1], 10, hits=9208, bytes_served=241_320_000_000)
    (row,) = [line for line in shown([*reports, busier], 80, 24) if line.startswith("  now")]
    assert row.endswith("10 requests/s, 1.0 MB/s to clients  ▅█")
    (plain,) = [line for line in shown([*reports, busier], 80, 24, ASCII) if line.startswith("  now")]
    assert plain.isascii()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (60, 10), (40, 8), (20, 5), (200, 50)])
def test_the_screen_fits_into_every_window(reports: list[StatusReport], width: int, height: int) -> None:
    lines = shown(reports, width, height)
    assert len(lines) == height
    assert all(len(line) <= width for line in lines)
    assert lines[-1].startswith("next in")


def test_lines_that_do_not_fit_are_counted(reports: list[StatusReport]) -> None:
    assert any("more lines: enlarge the window" in line for line in shown(reports, 80, 10))


def test_before_the_first_report_the_screen_says_what_it_waits_for() -> None:
    terminal = streams(80, 5)
    screen = StatusScreen(terminal, 5.0)
    screen.begin()
    with terminal.stdout.capture() as captured:
        terminal.stdout.print(screen, end="", height=5)
    assert captured.get().splitlines()[-1] == "reading the state, 0 s  (Ctrl-C quits)"


def test_a_restarted_pod_gives_no_negative_rate(reports: list[StatusReport]) -> None:
    activity = Activity()
    assert activity.rows(reports[0]) == {}
    assert activity.rows(reports[1]) != {}
    assert activity.rows(after(reports[1], 10, hits=1)) == {}
    assert activity.rows(after(reports[1], 10, hits=1)) == {}


def test_bars_of_nothing_are_low() -> None:
    assert sparkline([0.0, 0.0]) == "▁▁"


@contextmanager
def watching(directory: Path, *words: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """``status --watch`` of a cluster that does not answer, on a terminal of 80 columns."""
    (directory / "regmirror.yaml").write_text(json.dumps(samples.MINIMAL))
    ours, theirs = pty.openpty()
    options = ["--kubeconfig", kubeconfig(), "--resolve", f"{samples.HOST}:443:127.0.0.1:1", *words]
    environment = os.environ | {"COLUMNS": "80", "LINES": "24", "TERM": "xterm-256color"}
    with subprocess.Popen(
        [sys.executable, "-m", "regmirror", "status", "--watch", "--interval", "1s", *options],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=directory,
        env=environment,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        try:
            yield process, ours
        finally:
            process.kill()
            os.close(ours)


def read_until(terminal: int, wanted: bytes | None) -> bytes:
    """What the terminal gets until these words, or until the command ends."""
    seen, deadline = b"", time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and (wanted is None or wanted not in seen):
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            seen += os.read(terminal, 4096)
        except OSError:  # Nobody has the other end any more.
            return seen
    return seen


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_screen_is_left_as_it_was_and_the_last_state_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.chdir(tmp_path)
    with watching(tmp_path) as (process, terminal):
        before = read_until(terminal, b"cannot read the cluster")
        assert ENTER in before
        os.kill(process.pid, number)
        rest = read_until(terminal, None)
        assert process.wait(_PATIENCE) == ExitCode.INTERRUPTED
    assert LEAVE in rest
    last = rest.rpartition(LEAVE)[2]
    assert b"cannot read the cluster" in last
    assert b"Traceback" not in before + rest
    assert b"Error" not in rest


def test_without_color_there_is_no_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with watching(tmp_path, "--no-color") as (process, terminal):
        seen = read_until(terminal, b"cannot read the cluster")
        process.send_signal(signal.SIGINT)
        seen += read_until(terminal, None)
        assert process.wait(_PATIENCE) == ExitCode.INTERRUPTED
    assert b"\x1b" not in seen
