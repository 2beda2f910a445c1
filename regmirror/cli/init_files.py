"""Writes what ``init`` creates: the configuration file, and files with the secrets that were typed."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from regmirror.cli.init_questions import SECRETS_DIRECTORY
from regmirror.config.init_options import InitOptions
from regmirror.config.load import parse_mirror
from regmirror.config.problem import InvalidFileError
from regmirror.desired.templates import render_text
from regmirror.errors import ConfigurationError


def write_files(file: Path, options: InitOptions, typed: Mapping[str, str]) -> None:
    """Write the configuration file whole or not at all, and the secrets next to it; raises ConfigurationError."""
    text = render_text("regmirror.yaml.j2", options.context())
    try:
        parse_mirror(text, str(file))
    except InvalidFileError as error:
        problems = "\n  ".join(f"{problem.key_path}: {problem.message}" for problem in error.problems)
        raise ConfigurationError(f"cannot write {file}:\n  {problems}") from None
    draft = file.with_name(f".{file.name}.draft")
    try:
        draft.write_text(text)
        _write_secrets(file.parent / SECRETS_DIRECTORY, typed)
        draft.replace(file)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise ConfigurationError(f"cannot write {file}: {error.strerror}") from error


def _write_secrets(directory: Path, typed: Mapping[str, str]) -> None:
    """Write each secret to a file that only its owner can read, and that Git ignores."""
    if not typed:
        return
    directory.mkdir(mode=0o700, exist_ok=True)
    (directory / ".gitignore").write_text("*\n")
    for name, value in typed.items():
        path = directory / name
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as secret:
            secret.write(value)
