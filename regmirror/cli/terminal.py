"""The two streams: standard output for results, standard error for everything else; and what becomes of an error."""

import json
import os
import textwrap
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from typing import Any

import typer
from rich.console import Console

from regmirror.cli.error_output import converted, error_advice, error_document
from regmirror.cli.invocation import repeat_options
from regmirror.cli.options import Format
from regmirror.errors import InterruptedRunError, OutputError, RegmirrorError


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
_ANY_TEXT = "\N{CJK UNIFIED IDEOGRAPH-4E00}"
"""An encoding that has this character has every other, too."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where a command writes."""

    output: Format
    debug: bool
    stdout: Console
    stderr: Console
    symbols: Symbols = UNICODE

    def info(self, text: str = "", style: str | None = None, *, wrap: bool = False) -> None:
        """Text for people, on standard error; the regmirror commands in it repeat the options that select the mirror.

        ``wrap`` breaks long lines between words, on a terminal only; commands stay whole, to be copied.
        """
        text = repeat_options(text)
        if wrap and self.stderr.is_terminal:
            text = "\n".join(_wrapped(line, self.stderr.width) for line in text.splitlines())
        try:
            self.stderr.print(text, style=style, markup=False, highlight=False, soft_wrap=True)
        except OSError:
            # There is no other place to say so, and a change must not stop halfway because a log cannot be written.
            _discard(self.stderr)

    def error(self, error: RegmirrorError) -> None:
        """Report an error on standard error; with a document as output, on standard output too."""
        if self.debug:
            self.info(traceback.format_exc())
        self.info(f"Error {error.code}: {error.message}", "bold red", wrap=True)
        for line in error_advice(error):
            self.info(line)
        if self.output is not Format.TABLE:
            self.document(error_document(error))

    def hint(self, text: str) -> str:
        """A hint for a result: its regmirror commands repeat the options that select the mirror, as in ``info``."""
        return repeat_options(text)

    def result(self, text: str = "", style: str | None = None, *, wrap: bool = False) -> None:
        """A line of the result, on standard output; ``wrap`` as in ``info``.

        Raises OutputError if it cannot be written.
        """
        if wrap and self.stdout.is_terminal:
            text = _wrapped(text, self.stdout.width)
        try:
            self.stdout.print(text, style=style, markup=False, highlight=False, soft_wrap=True)
        except OSError as error:
            _discard(self.stdout)
            reason = error.strerror or "it is closed"
            hint = "free space or choose another file, and run the command again"
            raise OutputError(f"cannot write to standard output: {reason}", hint=hint) from None

    def document(self, document: dict[str, Any], *, in_one_line: bool = False) -> None:
        """The result as JSON or YAML, on standard output; characters that its encoding lacks are escaped.

        ``in_one_line`` is for one of several JSON documents: a program that reads lines reads documents.
        """
        is_plain = _can_encode(self.stdout, _ANY_TEXT)
        content = _with_hints(document)
        if self.output is Format.JSON:
            self.result(json.dumps(content, indent=None if in_one_line else 2, ensure_ascii=not is_plain))
        else:
            import yaml

            self.result(yaml.safe_dump(content, sort_keys=False, allow_unicode=is_plain).rstrip())


class _Stream(Console):
    """A stream whose reader may leave, as head does: the command goes on, and its exit code is still the answer."""

    def on_broken_pipe(self) -> None:
        """Rich itself would exit with 1, even halfway through a change."""
        _discard(self)


def _discard(stream: Console) -> None:
    """Write nothing more to a stream, and nothing of what it still buffers when Python exits."""
    stream.quiet = True
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.file.fileno())
    os.close(nowhere)


@contextmanager
def terminal(
    output: Format = Format.TABLE,
    *,
    debug: bool = False,
    no_color: bool = False,
    resumes: bool = False,
    exit_code: Callable[[RegmirrorError], int] = lambda error: error.exit_code,
) -> Iterator[Terminal]:
    """The streams of a command; an error within is reported on standard error and becomes the exit code.

    With a document as output, the error is also a document on standard output: a program that reads it never finds
    nothing. ``resumes`` says that the command, run again after Ctrl-C, continues where it stopped. ``exit_code`` gives
    the exit code of an error if it is not the error's own.
    """
    streams = _open(output, debug=debug, no_color=no_color)
    try:
        yield streams
    except RegmirrorError as error:
        streams.error(error)
        raise typer.Exit(exit_code(error)) from None
    except (KeyboardInterrupt, EOFError):
        hint = "run the command again: it continues where it stopped" if resumes else None
        interrupted = InterruptedRunError("interrupted", hint=hint)
        streams.error(interrupted)
        raise typer.Exit(interrupted.exit_code) from None
    except typer.Exit:
        raise
    except Exception as error:
        unexpected = converted(error)
        streams.error(unexpected)
        raise typer.Exit(exit_code(unexpected)) from None


def _open(output: Format, *, debug: bool, no_color: bool) -> Terminal:
    stdout, stderr = (_console(stderr=stderr, no_color=no_color) for stderr in (False, True))
    has_symbols = all(_can_encode(console, "".join(astuple(UNICODE))) for console in (stdout, stderr))
    return Terminal(output, debug, stdout, stderr, UNICODE if has_symbols else ASCII)


def _console(*, stderr: bool, no_color: bool) -> Console:
    """With --no-color no escape sequence at all is written, with NO_COLOR only those that move the cursor."""
    if no_color:
        return _Stream(stderr=stderr, no_color=True, color_system=None, force_terminal=False, emoji=False)
    if os.environ.get("NO_COLOR"):
        return _Stream(stderr=stderr, no_color=True, color_system=None, emoji=False)
    return _Stream(stderr=stderr, emoji=False)


def _can_encode(console: Console, text: str) -> bool:
    try:
        text.encode(console.encoding)
    except UnicodeEncodeError:
        return False
    return True


def _wrapped(line: str, width: int) -> str:
    if line.lstrip().startswith("Try: "):
        return line
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.fill(
        line, width, break_long_words=False, break_on_hyphens=False, drop_whitespace=True, subsequent_indent=indent
    )


def _with_hints(part: Any) -> Any:
    """A document whose hints repeat the options that select the mirror."""
    if isinstance(part, list):
        return [_with_hints(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        key: repeat_options(value) if key == "hint" and isinstance(value, str) else _with_hints(value)
        for key, value in part.items()
    }
