"""The help of a command as data, read from its parameters and docstring: for terminals and for man pages."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from regmirror.cli.catalog import COMMANDS
from regmirror.cli.options import CLUSTER_OPTIONS, OUTPUT_OPTIONS
from regmirror.errors.documentation import DOCUMENTATION_URL, command_url

NO_BREAK = "\N{NO-BREAK SPACE}"
"""Keeps a note in one line; written as a space."""
_LONGEST_CHOICES = 44
"""Columns of an option with its choices; more choices are listed in its description."""
_EXTRA = re.compile(r"\s*\[((?:env var: |default: |required|\d)[^\[]*)\]$")


class Row(NamedTuple):
    """An option, argument or subcommand, and what it means."""

    term: str
    text: str
    default: str = ""
    variable: str = ""

    @property
    def description(self) -> str:
        """The meaning with its default and environment variable."""
        notes = [("default", self.default), ("env", self.variable)]
        return " ".join([self.text, *(f"[{name}:{NO_BREAK}{value}]" for name, value in notes if value)]).strip()


class HelpPage(NamedTuple):
    """What the help of a command says."""

    command: str
    usage: str
    paragraphs: list[str]
    examples: list[str]
    sections: dict[str, list[Row]]
    footer: list[str]


def help_page(command: Any, context: Any) -> HelpPage:
    """The help of a command or group."""
    paragraphs, examples = split_help(command.help or "")
    path = context.command_path
    return HelpPage(
        command=path,
        usage=" ".join([path, *usage(command, context)]),
        paragraphs=paragraphs,
        examples=examples,
        sections={title: rows for title, rows in _sections(command, context) if rows},
        footer=_footer(command, context),
    )


def usage(command: Any, context: Any) -> list[str]:
    """The words of the usage after the command's path: ``[OPTIONS] RUNTIME``."""
    pieces = [piece for parameter in command.get_params(context) for piece in parameter.get_usage_pieces(context)]
    last = ["COMMAND"] if hasattr(command, "commands") else []
    return ["[OPTIONS]", *map(_usage_of_argument, pieces), *last]


def _usage_of_argument(piece: str) -> str:
    """``NAME`` for Typer's ``{name}``; an argument whose name already ends with dots gets no others."""
    name = piece.replace("{", "").replace("}", "").upper()
    return name.replace("......", "...").replace("...]...", "...]")


def split_help(text: str) -> tuple[list[str], list[str]]:
    """The paragraphs of a docstring, and its examples: lines that begin with ``regmirror`` or ``kubectl``."""
    lines = [line.replace("\b", "").rstrip() for line in text.splitlines()]
    is_example = [line.lstrip().startswith(("regmirror ", "kubectl ")) for line in lines]
    examples = [line.strip() for line, is_one in zip(lines, is_example, strict=True) if is_one]
    rest = ["" if is_one else line for line, is_one in zip(lines, is_example, strict=True)]
    parts = [" ".join(part.split()) for part in "\n".join(rest).split("\n\n")]
    return [part for part in parts if part not in {"", "Examples:"}], examples


def _sections(command: Any, context: Any) -> Iterator[tuple[str, list[Row]]]:
    """The sections in their order, empty ones included."""
    is_root = context.parent is None and hasattr(command, "commands")
    yield from _subcommands(command, is_root=is_root)
    parameters = [one for one in command.get_params(context) if not getattr(one, "hidden", False)]
    if is_root:
        own = [one for one in parameters if one.name not in CLUSTER_OPTIONS + OUTPUT_OPTIONS]
        yield "Options", [_row(one, context) for one in own]
        yield (
            "Options of several commands, before or after the command",
            [_row(one, context) for one in parameters if one not in own],
        )
        return
    titles = ["Options" if hasattr(command, "commands") else _title(one) for one in parameters]
    for title in ("Arguments", "Options", "Configuration and cluster", "Output and help"):
        yield title, [_row(one, context) for one, its in zip(parameters, titles, strict=True) if its == title]


def _title(parameter: Any) -> str:
    if not parameter.opts[0].startswith("-"):
        return "Arguments"
    if parameter.name in CLUSTER_OPTIONS:
        return "Configuration and cluster"
    return "Output and help" if parameter.name in (*OUTPUT_OPTIONS, "help") else "Options"


def _subcommands(command: Any, *, is_root: bool) -> Iterator[tuple[str, list[Row]]]:
    if is_root:
        for purpose in dict.fromkeys(entry.purpose for entry in COMMANDS.values()):
            yield purpose, [Row(name, entry.summary) for name, entry in COMMANDS.items() if entry.purpose == purpose]
    elif hasattr(command, "commands"):
        rows = [Row(name, split_help(one.help or "")[0][0]) for name, one in command.commands.items()]
        yield "Commands", rows


def _footer(command: Any, context: Any) -> list[str]:
    if context.parent is None and hasattr(command, "commands"):
        return [
            f'Run "{context.command_path} COMMAND --help" for the options and examples of a command.',
            f"Documentation: {DOCUMENTATION_URL}",
        ]
    _, _, name = context.command_path.rpartition("regmirror ")
    return [] if hasattr(command, "commands") else [f"Documentation: {command_url(name)}"]


def _row(parameter: Any, context: Any) -> Row:
    """An option or argument as the help shows it."""
    name, text = parameter.get_help_record(context) or ("", "")
    notes = dict[str, str]()
    if extra := _EXTRA.search(text):
        text = text[: extra.start()]
        notes = dict(note.partition(": ")[::2] for note in extra[1].split("; "))
    term, choices = _term(parameter, name)
    listed = f" One of: {', '.join(choices)}." if choices else ""
    return Row(term, f"{text}{listed}", _default(notes.get("default", "")), notes.get("env var", ""))


def _term(parameter: Any, name: str) -> tuple[str, list[str]]:
    """The option with its value, and the choices if there are too many to show them as its value."""
    if not parameter.opts[0].startswith("-"):
        found = re.search(r"<(.+)>", name)
        choices = found[1].split("|") if found and "|" in found[1] else []
        return str(parameter.metavar or parameter.name).upper(), choices
    option, _, value = name.partition(" <") if " <" in name else (name, "", "")
    padded = option if option.startswith("-") and not option.startswith("--") else f"    {option}"
    choices = value.rstrip(">").split("|") if "|" in value else []
    if not value:
        return padded, []
    if choices and len(padded) + len(value) < _LONGEST_CHOICES:
        return f"{padded} {'|'.join(choices)}", []
    return f"{padded} {_placeholder(parameter.name, value)}", choices


def _placeholder(name: str, value: str) -> str:
    """The word for a value of which only the type is known: the last of the option's name, or FILE."""
    last = name.rpartition("_")[2].upper()
    return "FILE" if value.startswith(("path", "file")) and last != "DIR" else last


def _default(value: str) -> str:
    """Empty, zero and false need no mention."""
    return "" if value in {"0", "False", "[]"} else value
