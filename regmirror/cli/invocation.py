"""The command that runs, and the options it was given: with these, the commands of its hints can be pasted."""

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from regmirror.cli.options import REPEATED_IN_HINTS

_running: ContextVar[Any] = ContextVar("running", default=None)
# "kubectl -n regmirror get" names a namespace, not the program.
_COMMAND = re.compile(r"(?<![\w./-])(?<!-n )(?<!namespace )regmirror ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?")
_END = re.compile(r"[\n;|&]|, |\bregmirror ")


@contextmanager
def running(context: Any) -> Iterator[None]:
    """Within, hints repeat the options of this context of a command."""
    token = _running.set(context)
    try:
        yield
    finally:
        _running.reset(token)


def repeat_options(text: str) -> str:
    """Add to every ``regmirror COMMAND`` in a text the options that select the mirror, as the user gave them.

    Only those of the command line are added, where COMMAND has them and the text does not give them already.
    """
    context = _running.get()
    if context is None:
        return text
    return _COMMAND.sub(lambda found: _completed(found, context), text)


def given(context: Any, names: tuple[str, ...]) -> dict[str, list[str]]:
    """The options of the command line among these names, each as the words that give it again."""
    words = {}
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name)
        if parameter.name in names and source is not None and source.name == "COMMANDLINE":
            value = context.params[parameter.name]
            values = value if isinstance(value, list | tuple) else [value]
            option = parameter.opts[0]
            words[parameter.name] = [option] if parameter.is_flag else [w for v in values for w in (option, str(v))]
    return words


def _completed(found: re.Match[str], context: Any) -> str:
    command, end = _named(found, context)
    if command is None:
        return found[0]
    begin = found.start()
    rest = found.string[end:]
    stop = _END.search(rest)
    present = set(rest[: stop.start() if stop else None].replace("=", " ").split())
    options = {parameter.name: set(parameter.opts) for parameter in command.params}
    missing = [
        shlex.join(words)
        for name, words in given(context, REPEATED_IN_HINTS).items()
        if name in options and not options[name] & present
    ]
    # What follows the command's name in the match is kept: it may be an argument.
    return " ".join([found.string[begin:end], *missing]) + found.string[end : found.end()]


def _named(found: re.Match[str], context: Any) -> tuple[Any, int]:
    """The command that a text names, and where its name ends; None where there is no such command."""
    root = context.find_root()
    command = root.command.commands.get(found[1])
    if hasattr(command, "commands"):
        return (command.commands.get(found[2]), found.end(2)) if found[2] else (None, 0)
    return command, found.end(1)
