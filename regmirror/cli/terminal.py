"""The two streams: standard output for data, standard error for words; and what becomes of an error."""

import json
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import typer
from rich.console import Console

from regmirror.cli.options import Format
from regmirror.errors import ExitCode, InterruptedRunError, RegmirrorError


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where a command writes."""

    output: Format
    debug: bool
    data: Console
    words: Console

    def say(self, text: str = "", style: str | None = None, *, wrap: bool = False) -> None:
        """Words for people, on standard error.

        ``wrap`` breaks long lines between words, on a terminal alone; commands are left whole, to be copied.
        """
        wrapped = wrap and self.words.is_terminal
        self.words.print(text, style=style, markup=False, highlight=False, soft_wrap=not wrapped)

    def print(self, text: str = "", style: str | None = None) -> None:
        """A line of the result, on standard output."""
        self.data.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

    def print_document(self, document: dict[str, Any]) -> None:
        """The result as JSON or YAML, on standard output."""
        if self.output is Format.JSON:
            self.print(json.dumps(document, indent=2, ensure_ascii=False))
        else:
            import yaml

            self.print(yaml.safe_dump(document, sort_keys=False, allow_unicode=True).rstrip())


@contextmanager
def terminal(
    output: Format = Format.TABLE,
    *,
    debug: bool = False,
    no_color: bool = False,
    exit_code: Callable[[RegmirrorError], int] = lambda error: error.exit_code,
) -> Iterator[Terminal]:
    """A command's streams; an error within is told on standard error and becomes the exit code.

    With a document as output, the error is a document on standard output, too: a program that reads it never finds
    nothing. ``exit_code`` gives the code of an error where it is not the error's own.
    """
    # None leaves the decision to NO_COLOR, FORCE_COLOR and TERM.
    colourless = no_color or None
    data, words = (Console(stderr=stderr, no_color=colourless, emoji=False) for stderr in (False, True))
    streams = Terminal(output, debug, data, words)
    try:
        yield streams
    except RegmirrorError as error:
        _tell(streams, error)
        raise typer.Exit(exit_code(error)) from None
    except (KeyboardInterrupt, EOFError):
        interrupted = InterruptedRunError("interrupted", hint="run the command again: it goes on from there")
        _tell(streams, interrupted)
        raise typer.Exit(interrupted.exit_code) from None
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python would complain about it once more at exit.
        sys.stderr.close()
        raise typer.Exit(ExitCode.OK) from None
    except typer.Exit:
        raise
    except Exception as error:
        # Its own words may hold anything, a secret too: they are shown with --debug alone.
        unexpected = RegmirrorError(f"an unexpected {type(error).__name__}", hint="see it with --debug, and report it")
        _tell(streams, unexpected)
        raise typer.Exit(exit_code(unexpected)) from None


def _tell(streams: Terminal, error: RegmirrorError) -> None:
    if streams.debug:
        streams.say(traceback.format_exc())
    streams.say(f"Error {error.code}: {error.message}", "bold red", wrap=True)
    if error.hint:
        streams.say(f"  Try: {error.hint}")
    if streams.output is not Format.TABLE:
        causes = [_document(cause) for cause in error.causes]
        streams.print_document({"error": _document(error) | ({"causes": causes} if causes else {})})


def _document(error: RegmirrorError) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, "hint": error.hint}
