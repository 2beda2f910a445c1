"""A command at a real terminal, answered as a person would: each answer when its question has been asked."""

from __future__ import annotations

import errno
import os
import select
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# Makes standard input the controlling terminal, which the asking for passwords needs, and becomes the command.
_BECOME = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
_PATIENCE = 300.0


@dataclass(frozen=True)
class Conversation:
    """What a command left behind."""

    code: int
    output: str
    screen: str
    """What the terminal showed: prompts and words, and the answers that were shown."""


def converse(
    command: Sequence[str], answers: Sequence[tuple[str, str]], directory: Path, environ: dict[str, str]
) -> Conversation:
    """Run a command and give each answer after its question; the answers end with a newline by themselves."""
    ours, theirs = os.openpty()
    words = [sys.executable, "-c", _BECOME, sys.executable, *command]
    with subprocess.Popen(
        words, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, cwd=directory, env=environ, start_new_session=True
    ) as process:
        os.close(theirs)
        try:
            screen = ""
            for question, answer in answers:
                asked = _read_until(ours, question)
                assert question in asked, f"{question!r} was not asked, but: {asked}"
                if "not shown" in question:
                    _wait_for_silence(ours)
                os.write(ours, f"{answer}\n".encode())
                screen += asked
            screen += _read_until(ours, None)
            output, _ = process.communicate(timeout=_PATIENCE)
        finally:
            process.kill()
            os.close(ours)
    return Conversation(process.returncode, output.decode(), screen)


def _wait_for_silence(terminal: int) -> None:
    """Until the terminal no longer shows what is typed: a password's prompt comes a moment before."""
    deadline = time.monotonic() + _PATIENCE
    while termios.tcgetattr(terminal)[3] & termios.ECHO:
        assert time.monotonic() < deadline, "the terminal goes on showing what is typed"
        time.sleep(0.01)


def _read_until(terminal: int, words: str | None) -> str:
    """What is shown until these words and the colon after them, or until the command ends."""
    shown, deadline = b"", time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            piece = os.read(terminal, 1024)
        except OSError as error:
            # How Linux tells that nobody holds the other end any more.
            if error.errno != errno.EIO:
                raise
            piece = b""
        shown += piece
        text = shown.decode(errors="replace")
        if not piece or (words is not None and words in text and text.rstrip().endswith(":")):
            return text
    return shown.decode(errors="replace")
