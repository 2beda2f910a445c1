"""Writes one man page per command: ``python -m regmirror.cli.man_pages DIRECTORY``. The output is reproducible."""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import typer

from regmirror import __version__
from regmirror.cli.app import app
from regmirror.cli.help_page import HelpPage, Row, help_page
from regmirror.errors.documentation import DOCUMENTATION_URL

_EXIT_CODES = (
    ("0", "The command succeeded."),
    ("1", "The command failed, or found what it looks for: a failed check, a difference."),
    ("2", "The configuration, a variable or an option cannot be used; nothing was changed."),
    ("3", "Something was changed before the command failed; run it again to continue."),
    ("124", "The time limit was exceeded."),
    ("130", "The command was interrupted."),
)


def man_pages() -> dict[str, str]:
    """The pages by file name: ``regmirror.1``, ``regmirror-deploy.1``, ``regmirror-config-show.1``."""
    pages = list(_help_pages(typer.main.get_command(app), None, "regmirror"))
    names = [_name(page) for page in pages]
    return {f"{_name(page)}.1": _roff(page, [one for one in names if one != _name(page)]) for page in pages}


def write_man_pages(directory: Path) -> None:
    """Write all pages into a directory, which is created if needed."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in man_pages().items():
        (directory / name).write_text(text, encoding="utf-8")


def _help_pages(command: Any, parent: Any, name: str) -> Iterator[HelpPage]:
    context = command.context_class(command, info_name=name, parent=parent, help_option_names=["--help", "-h"])
    yield help_page(command, context)
    for subcommand, loaded in getattr(command, "commands", {}).items():
        yield from _help_pages(loaded, context, subcommand)


def _name(page: HelpPage) -> str:
    return page.command.replace(" ", "-")


def _roff(page: HelpPage, others: list[str]) -> str:
    name = _name(page)
    summary, *description = page.paragraphs
    lines = [
        f'.TH "{_escape(name.upper())}" "1" "" "regmirror {__version__}" "regmirror manual"',
        ".nh",  # no hyphens within words: they would be copied along
        ".ad l",
        ".SH NAME",
        rf"{_escape(name)} \- {_escape(summary.rstrip('.'))}",
        ".SH SYNOPSIS",
        f".B {_escape(page.usage)}",
        ".SH DESCRIPTION",
        *_paragraphs([summary, *description]),
    ]
    for title, rows in page.sections.items():
        lines += [f'.SH "{_escape(title.upper())}"', *(line for row in rows for line in _entry(row.term, _text(row)))]
    lines += _environment(page)
    if page.examples:
        lines += [".SH EXAMPLES", ".nf", *map(_line, page.examples), ".fi"]
    lines += [".SH EXIT STATUS", *(line for code in _EXIT_CODES for line in _entry(*code))]
    related = [one for one in others if one.startswith(f"{name}-") or one == "regmirror"]
    lines += [".SH SEE ALSO", *(f".BR {_escape(one)} (1)," for one in related), _escape(DOCUMENTATION_URL)]
    return "\n".join(lines) + "\n"


def _environment(page: HelpPage) -> list[str]:
    rows = [row for part in page.sections.values() for row in part if row.variable]
    if not rows:
        return []
    entries = [_entry(row.variable, f"Value of {_option(row)} if it is not given.") for row in rows]
    return [".SH ENVIRONMENT", *(line for entry in entries for line in entry)]


def _option(row: Row) -> str:
    return next(word for word in row.term.replace(",", "").split() if word.startswith("--"))


def _text(row: Row) -> str:
    return f"{row.text} Default: {row.default}." if row.default else row.text


def _entry(term: str, text: str) -> list[str]:
    return [".TP", f".B {_escape(term.strip())}", _line(text)]


def _paragraphs(paragraphs: Iterable[str]) -> list[str]:
    return [line for paragraph in paragraphs for line in (".PP", _line(paragraph))][1:]


def _line(text: str) -> str:
    r"""A line of text; ``\&`` keeps a leading dot or quote from being a request."""
    escaped = _escape(text)
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped


def _escape(text: str) -> str:
    """Text as roff has it: a hyphen that can be copied, and no character beyond ASCII."""
    plain = text.replace("\\", r"\e").replace("-", r"\-").replace('"', r"\(dq")
    return re.sub(r"[^\x00-\x7f]", lambda found: f"\\[u{ord(found[0]):04X}]", plain)


if __name__ == "__main__":
    write_man_pages(Path(sys.argv[1]))
