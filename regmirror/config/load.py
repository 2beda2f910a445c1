"""Reads regmirror.yaml: every problem at once, with line, key path, and the nearest key where one is misspelt."""

import difflib
import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from regmirror.config.key_paths import KeyPath, format_path, line_of
from regmirror.config.model import Mirror
from regmirror.config.problem import InvalidFileError, Problem, invalid_file_error
from regmirror.config.secret_references import ClusterReference, EnvironmentReference, FileReference
from regmirror.config.yaml_checks import structural_problems
from regmirror.errors import ConfigurationError

# Pydantic marks the class that it tried, and the key of a mapping, in an error's location; the file has no such key.
_LABELS = {"[key]", *(kind.__name__ for kind in (ClusterReference, EnvironmentReference, FileReference))}
_MESSAGES = {
    "missing": "this key is missing",
    "model_type": "keys and values were expected here",
    "dict_type": "keys and values were expected here",
    "list_type": "a list was expected here",
    "string_type": "a string was expected here: put it in quotes",
}
"""In words of the file's reader, by Pydantic's error type."""
# What PyYAML quotes in a message, but for its own words such as '<stream end>' and single characters.
_QUOTED = re.compile(r""" (['"])(?!<)(?:(?!\1).){2,}\1""")


def load_mirror(path: Path) -> Mirror:
    """Read and check a configuration file; raises ConfigurationError that lists all its problems."""
    return parse_mirror(read_text(path), str(path))


def read_text(path: Path) -> str:
    """The text of a configuration file; raises ConfigurationError."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(f"there is no file {path}", hint="create it: regmirror init") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} cannot be read: it is not UTF-8 text") from None


def parse_mirror(text: str, source: str) -> Mirror:
    """Check the text of a configuration file; ``source`` is its name for the error."""
    return parse_file(text, source)[0]


def parse_file(text: str, source: str) -> tuple[Mirror, yaml.MappingNode]:
    """The same, with the text's YAML, which knows the line of each key."""
    root = _compose(text, source)
    problems = structural_problems(root)
    if problems:
        raise invalid_file_error(source, problems)
    try:
        return Mirror.model_validate(yaml.safe_load(text), by_alias=True, by_name=False), root
    except ValidationError as error:
        raise invalid_file_error(source, [_problem(detail, root) for detail in error.errors()]) from None
    except yaml.YAMLError as error:
        raise _not_yaml(source, error) from None


def _compose(text: str, source: str) -> yaml.MappingNode:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise _not_yaml(source, error) from None
    except RecursionError:
        raise _unreadable(source, 1, "it is nested too deeply") from None
    if not isinstance(root, yaml.MappingNode):
        problem = Problem(1, "", "it holds no mapping of keys to values")
        raise InvalidFileError(
            f"{source} holds no mapping of keys to values", [problem], hint="create one: regmirror init"
        )
    return root


def _not_yaml(source: str, error: yaml.YAMLError) -> InvalidFileError:
    """The error without the piece of the file that PyYAML shows with it: a secret may stand there."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return _unreadable(source, 1, getattr(error, "reason", "it cannot be read"))
    mark = error.problem_mark or error.context_mark
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return _unreadable(source, mark.line + 1 if mark else 1, f"{place}{_QUOTED.sub('', error.problem or '')}")


def _unreadable(source: str, line: int, reason: str) -> InvalidFileError:
    return InvalidFileError(f"{source} is not valid YAML: {reason}", [Problem(line, "", f"not valid YAML: {reason}")])


def _problem(detail: Any, root: yaml.MappingNode) -> Problem:
    path: KeyPath = tuple(part for part in detail["loc"] if part not in _LABELS)
    message = _MESSAGES.get(detail["type"], detail["msg"].removeprefix("Value error, "))
    if detail["type"] == "extra_forbidden":
        message = "unknown key" + _suggestion(path)
    return Problem(line_of(root, path), format_path(path), message)


def _suggestion(path: KeyPath) -> str:
    model = _model_at(path[:-1])
    known = [field.alias or name for name, field in model.model_fields.items()] if model else []
    near = difflib.get_close_matches(str(path[-1]), known, n=1)
    if near:
        return f'; did you mean "{near[0]}"?'
    return f"; known here: {', '.join(known)}" if known else ""


def _model_at(path: KeyPath) -> type[BaseModel] | None:
    """The model whose keys stand at ``path``."""
    model: type[BaseModel] | None = Mirror
    for part in path:
        if model is None or isinstance(part, int):
            continue
        annotation = next((f.annotation for name, f in model.model_fields.items() if part in {f.alias, name}), None)
        model = _model_in(annotation)
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    candidates = [found for inner in getattr(annotation, "__args__", ()) if (found := _model_in(inner))]
    return candidates[0] if len(candidates) == 1 else None
