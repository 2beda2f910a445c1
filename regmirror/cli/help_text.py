"""The help of a command as text for a terminal, without colors: it looks the same in a pipe and in a log."""

import re
import shutil
import textwrap
from collections.abc import Iterable, Iterator

from regmirror.cli.help_page import NO_BREAK, HelpPage, Row

_WIDEST = 100
_TERM = 28
"""Columns for an option and its value; a longer one has a line of its own."""
_OPTION = re.compile(r" (?=--?[a-z])")


def format_page(page: HelpPage, width: int | None = None) -> str:
    """The help as text, for a terminal of ``width`` columns; examples are never broken within a word."""
    columns = width or max(60, min(shutil.get_terminal_size().columns, _WIDEST))
    blocks = [
        f"Usage: {page.usage}",
        *(textwrap.fill(paragraph, columns, break_on_hyphens=False) for paragraph in page.paragraphs),
    ]
    if page.examples:
        blocks.append("\n".join(["Examples:", *_examples(page.examples, columns)]))
    for title, rows in page.sections.items():
        blocks.append("\n".join([f"{title}:", *_table(rows, columns)]))
    if page.footer:
        blocks.append("\n".join(page.footer))
    return "\n\n".join(blocks).replace(NO_BREAK, " ") + "\n"


def wrap_command(command: str, columns: int) -> list[str]:
    """A command in as few lines as fit, continued by backslashes before an option."""
    lines = [""]
    for word in _OPTION.split(command):
        if lines[-1] and len(lines[-1]) + len(word) + 3 > columns:
            lines[-1] += " \\"
            lines.append(f"    {word}")
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return lines


def _examples(examples: Iterable[str], columns: int) -> list[str]:
    return [f"  {line}" for example in examples for line in wrap_command(example, columns - 2)]


def _table(rows: list[Row], columns: int) -> Iterator[str]:
    longest = max(len(row.term) for row in rows)
    indent = " " * (2 + min(longest, _TERM) + 2)
    for row in rows:
        text = textwrap.wrap(row.description, columns - len(indent), break_long_words=False, break_on_hyphens=False)
        if len(row.term) > _TERM:
            yield f"  {row.term}"
            yield from (indent + line for line in text)
        else:
            yield f"  {row.term:<{len(indent) - 2}}{text[0] if text else ''}".rstrip()
            yield from (indent + line for line in text[1:])
