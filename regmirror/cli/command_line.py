"""Command lines for hints: the command that the user ran, with other options, ready to be pasted."""

import shlex
from typing import Any

import typer


def command_line(context: typer.Context, **changes: Any) -> str:
    """The command of ``context`` with the arguments and options of its command line.

    ``changes`` gives other values to some of them, by parameter name; False and None leave an option out.
    """
    words = ["regmirror", str(context.info_name)]
    for parameter in context.command.params:
        name = str(parameter.name)
        if name in changes:
            words += _words(parameter.opts[0], changes[name])
        elif is_given(context, name):
            words += _words(parameter.opts[0], context.params[name])
    return shlex.join(words)


def is_given(context: typer.Context, name: str) -> bool:
    """Whether a parameter is on the command line."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _words(option: str, value: Any) -> list[str]:
    if not option.startswith("-"):
        return [str(value)]
    if isinstance(value, list):
        return [word for entry in value for word in (option, str(entry))]
    if value is True:
        return [option]
    return [] if value in (False, None) else [option, str(value)]
