"""Commands and groups whose options have one order, and whose help is plain text."""

import os
from typing import Any

from typer import BadParameter, echo
from typer.core import TyperCommand, TyperGroup

from regmirror.cli.help_page import help_page, usage
from regmirror.cli.help_text import format_page
from regmirror.cli.invocation import running
from regmirror.cli.options import position


class Command(TyperCommand):
    """A command whose options have the common order, and whose hints repeat the options that it was given."""

    def __init__(self, *words: Any, **attributes: Any) -> None:
        super().__init__(*words, **attributes)
        self.params.sort(key=lambda parameter: position(parameter.name or ""))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words of the command line; an error begins without the words of the library that found it."""
        try:
            return super().parse_args(ctx, args)
        except BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")
            raise

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        _name_ignored_variables({parameter.name for parameter in self.params})
        with running(ctx):
            return super().invoke(ctx)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The words after the command's name in its usage."""
        return usage(self, ctx)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        formatter.write(format_page(help_page(self, ctx)))


def _name_ignored_variables(options: set[str | None]) -> None:
    """Say on standard error which variables of the environment a command that runs Helm does not follow."""
    from regmirror.adapters.environment import ignored_variables

    if "helm" in options:
        for sentence in ignored_variables(os.environ, store="kubeconfig" in options):
            echo(sentence, err=True)


class Group(TyperGroup):
    """A command with subcommands."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The words after the command's name in its usage."""
        return usage(self, ctx)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        formatter.write(format_page(help_page(self, ctx)))
