"""Reads regmirror.yaml and reports every problem at once, with its line, its key and the nearest known key."""

import difflib
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from regmirror.config.key_paths import KeyPath, format_path, line_of
from regmirror.config.model import Mirror
from regmirror.config.model_keys import documented_key, known_keys
from regmirror.config.problem import InvalidFileError, Problem, invalid_file_error
from regmirror.config.validation_messages import path_of, validation_message
from regmirror.config.yaml_checks import structural_problems, syntax_error
from regmirror.errors import ConfigurationError


def read_text(path: Path) -> str:
    """The text of a configuration file; raises ConfigurationError if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        hint = "name an existing file with --file FILE, or create one: regmirror init"
        raise ConfigurationError(f"cannot read {path}: no such file", hint=hint) from None
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ConfigurationError(f"cannot read {path}: not UTF-8 text") from None


def parse_mirror(text: str, source: str) -> Mirror:
    """The configuration in a text; raises InvalidFileError, which calls the text ``source``."""
    return parse_file(text, source)[0]


def parse_file(text: str, source: str) -> tuple[Mirror, yaml.MappingNode]:
    """The same, and the YAML nodes of the text, which know the line of each key."""
    value, root = parse_yaml(text, source)
    if not isinstance(root, yaml.MappingNode):
        raise InvalidFileError(
            f"{source} is not a mapping of keys to values", [Problem(1, "", "not a mapping of keys to values")]
        )
    try:
        return Mirror.model_validate(value, by_alias=True, by_name=False), root
    except ValidationError as error:
        raise invalid_file_error(source, [_problem(detail, root) for detail in error.errors()]) from None


def parse_yaml(text: str, source: str) -> tuple[Any, yaml.Node]:
    """The value of any YAML text, and its nodes; raises InvalidFileError for what no file of this program may have."""
    root = _compose(text, source)
    problems = structural_problems(root)
    if problems:
        raise invalid_file_error(source, problems)
    try:
        return yaml.safe_load(text), root
    except yaml.YAMLError as error:
        raise _not_yaml(source, text, error) from None


def _compose(text: str, source: str) -> yaml.Node:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise _not_yaml(source, text, error) from None
    except RecursionError:
        raise _invalid_yaml(source, 1, "nested too deeply") from None
    if root is None:
        raise InvalidFileError(f"{source} is empty", [Problem(1, "", "the file is empty")])
    return root


def _not_yaml(source: str, text: str, error: yaml.YAMLError) -> InvalidFileError:
    return _invalid_yaml(source, *syntax_error(text, error))


def _invalid_yaml(source: str, line: int, reason: str) -> InvalidFileError:
    return InvalidFileError(f"{source} is not valid YAML: {reason}", [Problem(line, "", f"not valid YAML: {reason}")])


def _problem(detail: ErrorDetails, root: yaml.MappingNode) -> Problem:
    path = path_of(detail)
    message = validation_message(detail)
    if detail["type"] == "extra_forbidden":
        message = f"unknown key{_suggestion(path)}"
    return Problem(line_of(root, path), format_path(path), message, documented_key(path))


def _suggestion(path: KeyPath) -> str:
    known = known_keys(path[:-1])
    nearest = difflib.get_close_matches(str(path[-1]), known, n=1)
    if nearest:
        return f'; did you mean "{nearest[0]}"?'
    return f"; known keys: {', '.join(known)}" if known else ""
