"""Where standard error is no terminal, each step that ended is one line of it; standard output stays clean."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time

import pytest

from regmirror.cli.connections import run_until_done
from regmirror.cli.progress import StepProgress
from regmirror.cli.terminal import terminal
from regmirror.errors import HelmError
from regmirror.steps.step import Done

PATIENCE = 300


def test_each_step_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with terminal() as streams, StepProgress(streams) as progress:
        progress.started("Secrets")
        progress.started("regmirror-auth")
        progress.waiting("regmirror-auth", "0/1 ready")
        progress.finished("Secrets", Done("6 created", changed=True))
        progress.failed("regmirror-auth", HelmError("[bold]quota[/bold]\nexceeded"))
        progress.skipped("regmirror-ingress", "what it needs has failed")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert [line.split(maxsplit=2) for line in captured.err.splitlines()] == [
        ["✔", "Secrets", "6 created"],
        ["✗", "regmirror-auth", "RM300, see below"],
        ["-", "regmirror-ingress", "what it needs has failed"],
    ]


def test_work_is_run_to_its_end() -> None:
    async def work() -> int:
        return 7

    assert run_until_done(work()) == 7


def test_a_signal_to_end_cancels_the_work_in_good_order() -> None:
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


def test_a_call_that_hangs_keeps_nobody_who_interrupts_waiting() -> None:
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


def test_what_a_call_in_a_thread_raises_reaches_its_caller() -> None:
    def refuse() -> None:
        raise HelmError("no")

    with pytest.raises(HelmError, match="no"):
        run_until_done(asyncio.to_thread(refuse))
