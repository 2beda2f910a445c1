"""What is wrong with a configuration file."""

from dataclasses import dataclass

from regmirror.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong; ``key_path`` is empty where the text is no YAML."""

    line: int
    key_path: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.key_path}: {self.message}"


class InvalidFileError(ConfigurationError):
    """The configuration file is wrong in itself; ``problems`` has each thing that is."""

    def __init__(self, message: str, problems: list[Problem], *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.problems = problems


def invalid_file_error(source: str, problems: list[Problem]) -> InvalidFileError:
    """The error that tells all problems, in the order of the file."""
    ordered = sorted(problems, key=lambda problem: problem.line)
    return InvalidFileError(
        "\n  ".join([f"{source} has {len(ordered)} problem{'s' * (len(ordered) > 1)}:", *map(str, ordered)]),
        ordered,
        hint="see docs/configuration.md, or the schema: regmirror config schema",
    )
