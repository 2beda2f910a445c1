"""Progress: live lines in a terminal, one line per finished step elsewhere; standard output stays clean."""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
import threading
import time

import pytest
from rich.console import Console

from regmirror.cli.connections import run_until_done
from regmirror.cli.options import Format
from regmirror.cli.progress import StepProgress, _in_short
from regmirror.cli.terminal import Terminal, terminal
from regmirror.errors import HelmError

PATIENCE = 300


def test_each_step_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with terminal() as streams, StepProgress(streams) as progress:
        progress.started("Secrets")
        progress.started("regmirror-auth")
        progress.waiting("regmirror-auth", "0/1 ready")
        progress.finished("Secrets", "6 created", changed=True)
        progress.failed("regmirror-auth", HelmError("[bold]quota[/bold]\nexceeded"))
        progress.skipped("regmirror-ingress", "skipped: an earlier step failed")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert [line.split(maxsplit=2) for line in captured.err.splitlines()] == [
        ["√", "Secrets", "6 created"],
        ["×", "regmirror-auth", "RM300, see below"],
        ["-", "regmirror-ingress", "skipped: an earlier step failed"],
    ]


REASON = "the TLS certificate of mirror.lab.test is not trusted: unable to get local issuer"


@pytest.mark.parametrize("title", ["Public host", "regmirror-docker-hub-and-more"])
@pytest.mark.parametrize("width", [80, 60, 200])
def test_a_live_line_cuts_off_the_end_of_the_reason_and_neither_title_nor_clock(title: str, width: int) -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, color_system=None, width=width)
    with StepProgress(Terminal(Format.TABLE, False, console, console)) as progress:
        progress.started(title)
        progress.waiting(title, REASON)
        time.sleep(0.3)
    shown = [line for line in re.split(r"\x1b\[[0-9;?]*[a-zA-Z]|[\r\n]", stream.getvalue()) if REASON[:12] in line]
    assert shown
    for line in shown:
        assert len(line) <= width
        assert re.match(rf". {re.escape(title)} +0:00:0\d {re.escape(REASON[:12])}", line)
        assert line.rstrip().endswith("…") == (width < 200)


def test_work_is_run_to_its_end() -> None:
    async def work() -> int:
        return 7

    assert run_until_done(work()) == 7


def test_sigterm_cancels_the_work_which_may_clean_up() -> None:
    ended = threading.Event()

    async def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(KeyboardInterrupt):
        run_until_done(work())
    assert ended.is_set()


def test_a_call_that_hangs_does_not_delay_an_interrupt() -> None:
    may_end = threading.Event()

    async def work() -> None:
        hanging = asyncio.to_thread(may_end.wait)
        os.kill(os.getpid(), signal.SIGINT)
        await hanging

    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            run_until_done(work())
        assert time.monotonic() - began < PATIENCE
    finally:
        may_end.set()


def test_an_error_in_a_thread_reaches_its_caller() -> None:
    def refuse() -> None:
        raise HelmError("no")

    with pytest.raises(HelmError, match="no"):
        run_until_done(asyncio.to_thread(refuse))


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("helm upgrade --install", "helm upgrade --install"),
        (
            "Deployment regmirror-docker-hub (1/1 ready, 1 old)\n"
            '  pod regmirror-docker-hub-6c9f7d5b8-x2x4q: ErrImagePull: "x"',
            'ErrImagePull: "x"',
        ),
        ("a valid answer from https://a.example.com\n  RM500: 503 from /v2/\n  Try: this", "503 from /v2/"),
    ],
)
def test_a_live_line_begins_with_the_reason_of_the_wait(reason: str, shown: str) -> None:
    assert _in_short(reason) == shown


def test_a_skipped_check_has_no_check_mark(capsys: pytest.CaptureFixture[str]) -> None:
    with terminal() as streams, StepProgress(streams) as progress:
        progress.started("Ingress class")
        progress.finished("Ingress class", "nginx not checked: no permission", skipped=True)
    assert capsys.readouterr().err.startswith("- Ingress class ")
