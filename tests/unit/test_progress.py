"""Where standard error is no terminal, each step that ended is one line of it; standard output stays clean."""

from __future__ import annotations

import asyncio
import os
import signal
import threading

import pytest

from regmirror.cli.progress import StepProgress
from regmirror.cli.terminal import terminal
from regmirror.cli.world import run_until_done
from regmirror.deploy.steps import Done
from regmirror.errors import HelmError


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
