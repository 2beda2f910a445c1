"""Every text that someone reads: Markdown, templates, charts, examples, and the strings of the programs."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.docs.markdown import ROOT, Place

_PROGRAMS = ("regmirror", "lab", "demo", "release")
_PLAIN = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "docs",
    "charts",
    "templates",
    "examples",
    "bench/results/README.md",
)
_SUFFIXES = {".md", ".j2", ".yaml", ".yml", ".txt", ".tpl", ".sh", ".conf"}
_NAMES = re.compile(r"`[^`\n]+`|\]\([^)\s]+\)")
"""Inline code and the targets of links."""


def texts() -> Iterator[Place]:
    """Each text with its place; names in code style and targets of links are left out."""
    for path in files(*_PLAIN):
        if path.suffix in _SUFFIXES:
            yield Place(path, 1, _NAMES.sub(lambda match: "_" * len(match[0]), path.read_text()))
    for path in files(*_PROGRAMS):
        if path.suffix == ".py":
            yield from strings(path)
    for path in (ROOT / "docs").glob("*.py"):
        yield from strings(path)


def files(*under: str) -> list[Path]:
    """The files below these paths that Git knows or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *under]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted(path for name in set(names) if (path := ROOT / name).is_file())


def strings(path: Path) -> Iterator[Place]:
    """The string literals of a Python file, docstrings included, f-strings with a blank for each value."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            parts = [
                part.value if isinstance(part, ast.Constant) else "\N{HORIZONTAL ELLIPSIS}" for part in node.values
            ]
            yield Place(path, node.lineno, "".join(map(str, parts)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield Place(path, node.lineno, node.value)
