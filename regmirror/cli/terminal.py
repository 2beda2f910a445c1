"""The two streams: standard output for results, standard error for everything else; and what becomes of an error."""

import json
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from typing import Any

import typer
from rich.console import Console

from regmirror.cli.options import Format
from regmirror.errors import ExitCode, InterruptedRunError, RegmirrorError


@dataclass(frozen=True, slots=True)
class Symbols:
    """The characters that mark an outcome, the same in every command."""

    ok: str
    warning: str
    error: str
    skipped: str


UNICODE = Symbols("√", "‼", "×", "-")
ASCII = Symbols("+", "!", "x", "-")
"""For a stream whose encoding lacks the others."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where a command writes."""

    output: Format
    debug: bool
    stdout: Console
    stderr: Console
    symbols: Symbols = UNICODE

    def info(self, text: str = "", style: str | None = None, *, wrap: bool = False) -> None:
        """Text for people, on standard error.

        ``wrap`` breaks long lines between words, on a terminal alone; commands are left whole, to be copied.
        """
        wrapped = wrap and self.stderr.is_terminal
        self.stderr.print(text, style=style, markup=False, highlight=False, soft_wrap=not wrapped)

    def result(self, text: str = "", style: str | None = None) -> None:
        """A line of the result, on standard output."""
        self.stdout.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

    def document(self, document: dict[str, Any]) -> None:
        """The result as JSON or YAML, on standard output."""
        if self.output is Format.JSON:
            self.result(json.dumps(document, indent=2, ensure_ascii=False))
        else:
            import yaml

            self.result(yaml.safe_dump(document, sort_keys=False, allow_unicode=True).rstrip())


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
    colorless = no_color or None
    stdout, stderr = (Console(stderr=stderr, no_color=colorless, emoji=False) for stderr in (False, True))
    streams = Terminal(output, debug, stdout, stderr, _symbols(stdout, stderr))
    try:
        yield streams
    except RegmirrorError as error:
        _show_error(streams, error)
        raise typer.Exit(exit_code(error)) from None
    except (KeyboardInterrupt, EOFError):
        interrupted = InterruptedRunError("interrupted", hint="run the command again: it goes on from there")
        _show_error(streams, interrupted)
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
        _show_error(streams, unexpected)
        raise typer.Exit(exit_code(unexpected)) from None


def _symbols(*consoles: Console) -> Symbols:
    try:
        for console in consoles:
            "".join(astuple(UNICODE)).encode(console.encoding)
    except UnicodeEncodeError:
        return ASCII
    return UNICODE


def _show_error(streams: Terminal, error: RegmirrorError) -> None:
    if streams.debug:
        streams.info(traceback.format_exc())
    streams.info(f"Error {error.code}: {error.message}", "bold red", wrap=True)
    if error.hint:
        streams.info(f"  Try: {error.hint}")
    if streams.output is not Format.TABLE:
        causes = [_document(cause) for cause in error.causes]
        streams.document({"error": _document(error) | ({"causes": causes} if causes else {})})


def _document(error: RegmirrorError) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, "hint": error.hint}
