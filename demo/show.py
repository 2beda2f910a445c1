"""Runs commands in front of an audience: each is printed as it would be typed, then run."""

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class DemoError(Exception):
    """A command of the demonstration failed."""


def say(text: str = "") -> None:
    """Words of the guide."""
    print(text, flush=True)


def run(words: Sequence[str], directory: Path, environment: Mapping[str, str], *, shown: str = "") -> None:
    """Show a command, or what stands for it, and run it; raises DemoError where it fails."""
    say(f"\n$ {shown or shlex.join(words)}")
    code = subprocess.run(words, cwd=directory, env={**os.environ, **environment}, check=False).returncode
    if code:
        raise DemoError(f"`{words[0]}` left with {code}; what it printed says why")
