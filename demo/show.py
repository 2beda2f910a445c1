"""Prints each command as one would type it, then runs it."""

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class DemoError(Exception):
    """A command of the demo failed."""


def say(text: str = "") -> None:
    """Print a text of the demo."""
    print(text, flush=True)


def run(words: Sequence[str], directory: Path, environment: Mapping[str, str], *, shown: str = "") -> None:
    """Print a command, or the text ``shown`` instead of it, and run it; raises DemoError if it fails."""
    say(f"\n$ {shown or shlex.join(words)}")
    code = subprocess.run(words, cwd=directory, env={**os.environ, **environment}, check=False).returncode
    if code:
        raise DemoError(f"{words[0]} exited with {code}; see its output above")
