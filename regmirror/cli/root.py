"""The command ``regmirror`` itself: its subcommands, and the options that may be given before one of them."""

from typing import Any

from regmirror.cli.catalog import COMMANDS
from regmirror.cli.commands import LazyCommands
from regmirror.cli.invocation import given
from regmirror.cli.options import CLUSTER_OPTIONS, OUTPUT_OPTIONS
from regmirror.cli.parsing import Command, Group


class RootGroup(Group):
    """``regmirror`` itself: options that commands share may also be given before the command."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = LazyCommands()

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the signature is Typer's
        """The names of the commands, without importing them."""
        return list(self.commands)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the options before the command."""
        if {"--install-completion", "--show-completion"} & set(args) and " " in str(ctx.info_name):
            ctx.fail("Shells complete the command 'regmirror': run 'regmirror --install-completion'.")
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """The names of the commands with their summaries, without importing them; and the options."""
        commands, self.commands = self.commands, {name: Command(name, help=c.summary) for name, c in COMMANDS.items()}
        try:
            return super().shell_complete(ctx, incomplete)
        finally:
            self.commands = commands

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command, and put the options that were given before it in front of its own, which win."""
        name, command, rest = super().resolve_command(ctx, args)
        options = given(ctx, CLUSTER_OPTIONS + OUTPUT_OPTIONS)
        if command is None or not options:
            return name, command, rest
        subcommand, path, rest = _descend(command, rest)
        if rest and hasattr(subcommand, "commands"):
            # A misspelled subcommand, or --help of a group: the group answers.
            return name, command, [*path, *rest]
        accepted = {parameter.name for parameter in subcommand.params}
        refused = [option for option in options if option not in accepted]
        if refused and not ctx.resilient_parsing:
            ctx.fail(f"--{refused[0].replace('_', '-')} is not an option of '{' '.join([str(name), *path])}'.")
        words = [word for option, words in options.items() if option in accepted for word in words]
        return name, command, [*path, *words, *rest]


def _descend(command: Any, words: list[str]) -> tuple[Any, list[str], list[str]]:
    """The subcommand that the words name, those that name it, and the rest."""
    if words and words[0] in getattr(command, "commands", {}):
        found, path, rest = _descend(command.commands[words[0]], words[1:])
        return found, [words[0], *path], rest
    return command, [], words
