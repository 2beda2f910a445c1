"""Transcripts of commands: what a user types and reads, for the golden files in tests/golden/transcripts."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import pytest
from typer.testing import CliRunner

from regmirror.cli.app import app


def connect(monkeypatch: pytest.MonkeyPatch, connections: Any) -> None:
    """Let every command use these connections instead of opening its own."""
    monkeypatch.setattr("regmirror.cli.connections.CommandConnections", lambda *_, **__: connections)


def transcript(*arguments: str, stdin: str | None = None) -> str:
    """Run ``regmirror``; returns the command line, both output streams in their order, and the exit code."""
    result = CliRunner().invoke(app, list(arguments), input=stdin)
    return f"$ regmirror {' '.join(arguments)}\n{result.output}exit code: {result.exit_code}\n"


def sort_parallel_steps(text: str) -> str:
    """The transcript with consecutive lines of releases sorted: their steps run in parallel and end in any order."""
    groups = groupby(text.splitlines(), key=lambda line: line[2:].startswith("regmirror-"))
    return "".join(f"{line}\n" for is_step, lines in groups for line in (sorted(lines) if is_step else lines))
