"""Running other programs: a failure becomes one LabError that carries the end of what the program said."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.errors import LabError

SHOWN_LINES = 15


def last_lines(text: str) -> str:
    """The end of a program's output, indented for an error message."""
    return "\n".join(f"    {line}" for line in text.strip().splitlines()[-SHOWN_LINES:])


def output_of(
    command: Sequence[str | Path],
    *,
    purpose: str,
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
    standard_input: bytes | None = None,
) -> str:
    """Runs `command` to its end and returns its stdout; raises LabError that begins with `purpose`."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, cwd=directory, env=environment, input=standard_input, capture_output=True, check=False
        )
    except OSError as error:
        raise LabError(f"{purpose}: cannot start {words[0]}: {error.strerror}") from error
    if done.returncode != 0:
        said = last_lines((done.stderr or done.stdout).decode(errors="replace"))
        raise LabError(f"{purpose}: {Path(words[0]).name} failed with exit code {done.returncode}:\n{said}")
    return done.stdout.decode(errors="replace")
