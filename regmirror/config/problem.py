"""The problems of a configuration file."""

from dataclasses import dataclass

from pydantic_core import PydanticCustomError

from regmirror.config.key_paths import KeyPath
from regmirror.errors import ConfigurationError

AT_KEY = "at_key"


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem; ``key_path`` is empty if the text is not YAML, ``documented_key`` if no section explains it."""

    line: int
    key_path: str
    message: str
    documented_key: str = ""

    def __str__(self) -> str:
        return f"line {self.line}: {self.key_path}: {self.message}"


class InvalidFileError(ConfigurationError):
    """The configuration file is invalid; ``problems`` lists every reason."""

    def __init__(self, message: str, problems: list[Problem], *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.problems = problems


def invalid_file_error(source: str, problems: list[Problem]) -> InvalidFileError:
    """The error that lists all problems in the order of the file; its hint explains the first key."""
    ordered = sorted(problems, key=lambda problem: problem.line)
    key = next((problem.documented_key for problem in ordered if problem.documented_key), "")
    return InvalidFileError(
        "\n  ".join([f"{source} has {len(ordered)} problem{'s' * (len(ordered) > 1)}:", *map(str, ordered)]),
        ordered,
        hint=f"regmirror explain {key}" if key else None,
    )


def error_at(path: KeyPath, message: str) -> PydanticCustomError:
    """An error of a validator about a key below the one that is being validated; ``path`` leads from there to it."""
    return PydanticCustomError(AT_KEY, "{message}", {"message": message, "path": path})
