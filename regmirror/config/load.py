"""Reads regmirror.yaml: every problem at once, with line, key path, and the nearest key where one is misspelt."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from regmirror.config.model import Mirror
from regmirror.errors import ConfigurationError

KeyPath = tuple[str | int, ...]


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
        text = path.read_text()
    except FileNotFoundError:
        raise ConfigurationError(f"there is no file {path}", hint="create it: regmirror init") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    return parse_mirror(text, str(path))


def parse_mirror(text: str, source: str) -> Mirror:
    """Check the text of a configuration file; ``source`` is its name for the error."""
    root = _compose(text, source)
    repeated = list(_repeated_keys(root))
    if repeated:
        raise _refuse(source, repeated)
    try:
        return Mirror.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        raise _refuse(source, [_problem(detail, root) for detail in error.errors()]) from None
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigurationError(f"{source}: a value is not valid YAML: {error}") from None


def _compose(text: str, source: str) -> yaml.MappingNode:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigurationError(f"{source} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(root, yaml.MappingNode):
        raise ConfigurationError(f"{source} holds no mapping of keys to values", hint="create one: regmirror init")
    return root


def _refuse(source: str, problems: list[Problem]) -> ConfigurationError:
    ordered = sorted(problems, key=lambda problem: problem.line)
    return ConfigurationError(
        "\n  ".join([f"{source} has {len(ordered)} problem{'s' * (len(ordered) > 1)}:", *map(str, ordered)]),
        hint="see docs/configuration.md, or the schema: regmirror schema",
    )


def _repeated_keys(node: yaml.Node, path: KeyPath = ()) -> Iterator[Problem]:
    """Keys that stand twice in one mapping: YAML would silently take the last."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            here = (*path, str(key.value))
            if key.value in seen:
                yield Problem(key.start_mark.line + 1, _dotted(here), "this key stands twice")
            seen.add(str(key.value))
            yield from _repeated_keys(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _repeated_keys(value, (*path, index))


def _problem(detail: Any, root: yaml.MappingNode) -> Problem:
    path: KeyPath = tuple(part for part in detail["loc"] if not _is_union_label(part))
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        message = "unknown key" + _suggestion(path)
    elif detail["type"] == "missing":
        message = "this key is missing"
    return Problem(_line(root, path), _dotted(path), message)


def _is_union_label(part: str | int) -> bool:
    """Pydantic puts the class tried into the location of an error within a union; a reader's file has no such key."""
    return isinstance(part, str) and part.endswith("Reference")


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
            if key.value == part:
                return key.start_mark.line + 1, value
    elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line + 1, node.value[part]
    return None


def _dotted(path: KeyPath) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "the file"
