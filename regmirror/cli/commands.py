"""Loads the commands: each is imported when it is run or completed, so that ``regmirror --help`` starts quickly."""

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any

import typer

from regmirror.cli.catalog import COMMANDS
from regmirror.cli.parsing import Command, Group


class LazyCommands(MutableMapping[str, Any]):
    """The commands by name; one is imported when it is first looked up."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = _load(name)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)

    def __contains__(self, name: object) -> bool:
        return name in COMMANDS

    def __setitem__(self, name: str, command: Any) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]


def _load(name: str) -> Any:
    """Import the module of a command, and make what Typer parses of its function, or of its application ``app``."""
    if name not in COMMANDS:
        raise KeyError(name)
    identifier = name.replace("-", "_")
    module = import_module(f"regmirror.cli.{identifier}")
    has_subcommands = hasattr(module, "app")
    application = module.app if has_subcommands else typer.Typer(add_completion=False)
    if not has_subcommands:
        application.command(name)(getattr(module, identifier))
    application.info.cls = Group
    application.rich_markup_mode = None
    for registered in application.registered_commands:
        registered.cls = Command
    return typer.main.get_group(application) if has_subcommands else typer.main.get_command(application)
