"""Reads regmirror.yaml: every problem at once, with line, key path, and the nearest key where one is misspelt."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from regmirror.config.model import Mirror
from regmirror.config.secret_references import ClusterReference, EnvironmentReference, FileReference
from regmirror.errors import ConfigurationError

KeyPath = tuple[str | int, ...]

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


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a configuration file."""

    line: int
    key_path: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.key_path}: {self.message}"


def load_mirror(path: Path) -> Mirror:
    """Read and check a configuration file; raises ConfigurationError that lists all its problems."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(f"there is no file {path}", hint="create it: regmirror init") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} cannot be read: it is not UTF-8 text") from None
    return parse_mirror(text, str(path))


def parse_mirror(text: str, source: str) -> Mirror:
    """Check the text of a configuration file; ``source`` is its name for the error."""
    root = _compose(text, source)
    misshapen = list(_misshapen(root))
    if misshapen:
        raise _refuse(source, misshapen)
    try:
        return Mirror.model_validate(yaml.safe_load(text), by_alias=True, by_name=False)
    except ValidationError as error:
        raise _refuse(source, [_problem(detail, root) for detail in error.errors()]) from None
    except yaml.YAMLError as error:
        raise _not_yaml(source, error) from None
    except ValueError as error:
        raise ConfigurationError(f"{source}: a value is not valid YAML: {error}") from None


def _compose(text: str, source: str) -> yaml.MappingNode:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise _not_yaml(source, error) from None
    except RecursionError:
        raise ConfigurationError(f"{source} is nested too deeply") from None
    if not isinstance(root, yaml.MappingNode):
        raise ConfigurationError(f"{source} holds no mapping of keys to values", hint="create one: regmirror init")
    return root


def _not_yaml(source: str, error: yaml.YAMLError) -> ConfigurationError:
    """The error without the piece of the file that PyYAML shows with it: a secret may stand there."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return ConfigurationError(f"{source} is not valid YAML: {getattr(error, 'reason', 'it cannot be read')}")
    mark = error.problem_mark or error.context_mark
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return ConfigurationError(f"{source} is not valid YAML: {place}{_QUOTED.sub('', error.problem or '')}")


def _refuse(source: str, problems: list[Problem]) -> ConfigurationError:
    ordered = sorted(problems, key=lambda problem: problem.line)
    return ConfigurationError(
        "\n  ".join([f"{source} has {len(ordered)} problem{'s' * (len(ordered) > 1)}:", *map(str, ordered)]),
        hint="see docs/configuration.md, or the schema: regmirror schema",
    )


def _misshapen(node: yaml.Node, path: KeyPath = (), above: tuple[yaml.Node, ...] = ()) -> Iterator[Problem]:
    """Keys that stand twice in one mapping, of which YAML would silently take the last; aliases of what is around."""
    if node in above:
        yield Problem(node.start_mark.line + 1, _dotted(path), "this refers to itself")
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            here = (*path, str(key.value))
            if str(key.value) in seen:
                yield Problem(key.start_mark.line + 1, _dotted(here), "this key stands twice")
            seen.add(str(key.value))
            yield from _misshapen(value, here, (*above, node))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _misshapen(value, (*path, index), (*above, node))


def _problem(detail: Any, root: yaml.MappingNode) -> Problem:
    path: KeyPath = tuple(part for part in detail["loc"] if part not in _LABELS)
    message = _MESSAGES.get(detail["type"], detail["msg"].removeprefix("Value error, "))
    if detail["type"] == "extra_forbidden":
        message = "unknown key" + _suggestion(path)
    return Problem(_line(root, path), _dotted(path), message)


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


def _line(node: yaml.Node, path: KeyPath) -> int:
    """The line (from 1) of the deepest part of ``path`` that the file has."""
    line = node.start_mark.line + 1
    for part in path:
        found = _child(node, part)
        if found is None:
            break
        line, node = found
    return line


def _child(node: yaml.Node, part: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line + 1, value
    elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line + 1, node.value[part]
    return None


def _dotted(path: KeyPath) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "the file"
