"""The command ``regmirror`` itself: its subcommands, and the options that may be given before one of them."""

from typing import Any

from regmirror.cli.commands import LazyCommands
from regmirror.cli.invocation import given
from regmirror.cli.options import CLUSTER_OPTIONS, OUTPUT_OPTIONS
from regmirror.cli.parsing import Group


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

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command, and put the options that were given before it in front of its own, which win."""
        name, command, rest = super().resolve_command(ctx, args)
        options = given(ctx, CLUSTER_OPTIONS + OUTPUT_OPTIONS)
        if command is None or not options:
            return name, command, rest
        path: list[str] = []
        while hasattr(command, "commands") and rest and rest[0] in command.commands:
            command, path, rest = command.commands[rest[0]], [*path, rest[0]], rest[1:]
        accepted = {parameter.name for parameter in command.params}
        for refused in [words[0] for option, words in options.items() if option not in accepted]:
            if not ctx.resilient_parsing:
                ctx.fail(f"{refused} is not an option of '{' '.join([str(name), *path])}'.")
        words = [word for option, words in options.items() if option in accepted for word in words]
        return name, self.commands[str(name)], [*path, *words, *rest]
