"""Runs other programs; a failure is a LabError with the last lines of their output."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.errors import LabError

SHOWN_LINES = 15


def last_lines(text: str) -> str:
    """The last lines of a program's output, indented for an error message."""
    return "\n".join(f"    {line}" for line in text.strip().splitlines()[-SHOWN_LINES:])


def output_of(
    command: Sequence[str | Path],
    *,
    purpose: str,
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
    standard_input: bytes | None = None,
) -> str:
    """Runs `command` and returns its stdout; raises LabError with `purpose` and the output if it fails."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, cwd=directory, env=environment, input=standard_input, capture_output=True, check=False
        )
    except OSError as error:
        raise LabError(f"{purpose} failed: cannot start {words[0]}: {error.strerror}") from error
    if done.returncode != 0:
        output = last_lines((done.stderr or done.stdout).decode(errors="replace"))
        raise LabError(f"{purpose} failed: {Path(words[0]).name} exited with {done.returncode}:\n{output}")
    return done.stdout.decode(errors="replace")
