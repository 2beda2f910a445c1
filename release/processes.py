"""Runs other programs; a failure is a ReleaseError with the end of their output."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from release.errors import ReleaseError

_SHOWN_LINES = 15


def output_of(
    command: Sequence[str | Path],
    purpose: str,
    *,
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
    standard_input: bytes = b"",
) -> str:
    """The standard output of a command; raises ReleaseError with `purpose` if it cannot be started or fails."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            cwd=directory,
            env={**os.environ, **(environment or {})},
            input=standard_input,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise ReleaseError(f"{purpose} failed: cannot start {words[0]}: {error.strerror}") from error
    if done.returncode != 0:
        shown = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()[-_SHOWN_LINES:]
        lines = "\n".join(f"    {line}" for line in shown)
        raise ReleaseError(f"{purpose} failed: {Path(words[0]).name} exited with {done.returncode}:\n{lines}")
    return done.stdout.decode(errors="replace")
