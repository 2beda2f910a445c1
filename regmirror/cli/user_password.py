"""The new password of an account: chosen, read from standard input, or asked for."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from regmirror.cli.terminal import Terminal
from regmirror.errors import ConfigurationError, InterruptedRunError, OutputError, PasswordError, RegmirrorError

if TYPE_CHECKING:
    from pydantic import SecretStr


def new_password(streams: Terminal, file: Path, *, generate: bool, from_stdin: bool) -> "SecretStr":
    """The new password: chosen, read, or asked for twice. Raises ConfigurationError."""
    from pydantic import SecretStr

    from regmirror.users.password import generate_password

    if generate and from_stdin:
        raise ConfigurationError("--generate cannot be combined with --password-stdin")
    if generate:
        return generate_password()
    if from_stdin:
        if str(file) == "-":
            raise ConfigurationError("--password-stdin cannot be combined with -f -: both read standard input")
        return SecretStr(_read_line())
    if not sys.stdin.isatty():
        raise ConfigurationError(
            "cannot ask for a password without a terminal", hint="use --password-stdin, or --generate"
        )
    return SecretStr(_ask(streams))


def _read_line() -> str:
    """Standard input without the line break at its end."""
    from regmirror.users.password import LONGEST

    try:
        # Somebody may have given a whole disk: no more than this can be a password.
        text = sys.stdin.buffer.read(LONGEST + 3).decode()
    except UnicodeDecodeError:
        raise PasswordError("the password cannot be used: it is not UTF-8 text, or too long") from None
    return text.removesuffix("\n").removesuffix("\r")


def _ask(streams: Terminal) -> str:
    from regmirror.cli.prompts import Prompts
    from regmirror.users.password import password_problem

    prompts = Prompts(streams)
    while problem := password_problem(password := prompts.secret("Password")):
        streams.info(f"  {streams.symbols.error} {problem}", "red")
    if prompts.secret("Repeat the password") != password:
        raise PasswordError("the two passwords differ: nothing was changed")
    return password


@contextmanager
def password_may_be_lost(streams: Terminal, name: str, *, generate: bool) -> Iterator[None]:
    """If the command fails after it may have stored a generated password, say that nobody knows the password."""
    try:
        yield
    except RegmirrorError as error:
        if generate and (error.left_changes or isinstance(error, InterruptedRunError | OutputError)):
            again = f"regmirror user passwd {name} --generate"
            streams.info(f"The generated password is not shown. If {name} is in the list, set another: {again}")
        raise
