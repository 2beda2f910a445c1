"""Writes docs/configuration.md from the models: ``python docs/generate_configuration.py > docs/configuration.md``."""

import copy
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from regmirror.config import fields, kubernetes_fields
from regmirror.config.durations import format_duration
from regmirror.config.model import Mirror
from regmirror.config.secret_references import (
    ClusterReference,
    ClusterSecretKey,
    EnvironmentReference,
    FileReference,
    SecretReference,
)

_KINDS: dict[Any, str] = {
    fields.Host: "host name",
    fields.Url: "URL",
    fields.Label: "name",
    fields.UpstreamName: "name",
    fields.Image: "image",
    fields.RepositoryPattern: "repository pattern",
    fields.Duration: "duration",
    kubernetes_fields.QualifiedName: "name",
    kubernetes_fields.LabelValue: "string",
    kubernetes_fields.ObjectName: "name",
    kubernetes_fields.Quantity: "quantity",
    kubernetes_fields.Toleration: "mapping",
}
_PLAIN = {str: "string", int: "integer", bool: "boolean", float: "number", Path: "path"}
_ANY_REFERENCE: Any = SecretReference
_REFERENCE = "[secret reference](#secret-references)"

_INTRODUCTION = """\
# Configuration

<!-- Made by docs/generate_configuration.py from regmirror/config: change it there, then run make docs. -->

`regmirror` reads one file, `regmirror.yaml` in the current directory unless `-f FILE` names another. `regmirror init`
writes it; [examples/](../../examples) has complete ones. A key that is not listed here is an error, and so is one that
stands twice; every problem is told at once, with its line.

- `regmirror config validate` checks the file and nothing else; `-f -` reads standard input, `-o json` serves programs.
- `regmirror config show` prints every key with the value that takes effect, and the line that it comes from.
- `regmirror config schema > regmirror.schema.json` is its JSON Schema, by which editors complete and check it.

- A *duration* has units, as in `90s`, `5m` or `1h30m`; `0` needs none.
- An *image* has a tag, a digest (`@sha256:...`), or both.
- A *repository pattern* is a repository's name in which `*` stands for any characters and `?` for one, but neither for
  a `/`: `library/*` are the official images, `acme/*` is all of acme.
- A *quantity* is an amount of a resource as Kubernetes writes it: `250m`, `0.5`, `128Mi`.
- A *secret reference* says where a secret is kept. No secret stands in the file.
"""

_REFERENCE_FORMS = """\
## Secret references

A reference has one of three forms. `deploy` follows them all before it changes anything, and copies what it finds into
Secrets of the mirror's namespace.

| form | where the secret is |
|---|---|
"""


def document() -> str:
    """The whole page."""
    sections = [_section(path, model) for path, model in _sections()]
    return "\n".join([_INTRODUCTION, *sections, _secret_references(), _whole_example()])


def example() -> dict[str, Any]:
    """A configuration file in which every key has the value of its example."""
    return _example_of(Mirror)


def _sections(model: type[BaseModel] = Mirror, path: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Every part of the file, the whole first: its key path and its model."""
    yield path, model
    hints = get_type_hints(model, include_extras=True)
    for name, field in model.model_fields.items():
        inner = _model_in(hints[name])
        if inner:
            key = f"{path}.{field.alias}".removeprefix(".")
            yield from _sections(inner, f"{key}[]" if _is_list(hints[name]) else key)


def _section(path: str, model: type[BaseModel]) -> str:
    hints = get_type_hints(model, include_extras=True)
    title = f"## `{path}`" if path else "## The top level"
    # What a component shares with the others comes after its own.
    names = sorted(model.model_fields, key=lambda name: name not in model.__annotations__)
    rows = [_row(model.model_fields[name], hints[name], path) for name in names]
    header = "| key | type | default | meaning | example |\n|---|---|---|---|---|"
    return "\n".join([title, "", str(model.__doc__).splitlines()[0], "", header, *rows, ""])


def _row(field: FieldInfo, hint: Any, path: str) -> str:
    inner = _model_in(hint)
    if inner:
        key = f"{path}.{field.alias}".removeprefix(".") + ("[]" if _is_list(hint) else "")
        kind, shown = f"[{'list, ' * _is_list(hint)}see below](#{_anchor(key)})", ""
    else:
        kind, shown = _words(hint), f"`{_inline(_example_value(field))}`"
    return f"| `{field.alias}` | {kind} | {_default(field)} | {field.description} | {shown} |"


def _anchor(key: str) -> str:
    """The anchor that GitHub gives to a heading."""
    return "".join(character for character in key.lower() if character.isalnum() or character in "-_")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "*required*"
    if field.default in (None, "", {}, []) or isinstance(field.default, BaseModel):
        return ""
    return f"`{_inline(_plain(field.default))}`"


def _words(hint: Any) -> str:
    """A type in words; None is left out, because a key that may be null may be left out."""
    if get_origin(hint) is Annotated:
        return _annotated_words(hint)
    if get_origin(hint) in {Union, UnionType}:
        return " or ".join(_words(part) for part in get_args(hint) if part is not NoneType)
    if get_origin(hint) is Literal:
        return " or ".join(f"`{_inline(value)}`" for value in get_args(hint))
    if get_origin(hint) is list:
        return f"list of {_words(get_args(hint)[0])}s"
    if get_origin(hint) is dict:
        return "mapping"
    return _PLAIN.get(hint, "any")


def _annotated_words(hint: Any) -> str:
    inner, metadata = get_args(hint)[0], hint.__metadata__
    if any(part in _ANY_REFERENCE.__metadata__ for part in metadata):
        return _REFERENCE
    words = next((words for kind, words in _KINDS.items() if kind.__metadata__[0] in metadata), None)
    return words or _words(inner) + _bounds(metadata)


def _bounds(metadata: tuple[Any, ...]) -> str:
    limits = [limit for part in metadata for limit in getattr(part, "metadata", ())]
    lowest = [limit.ge for limit in limits if hasattr(limit, "ge")]
    highest = [limit.le for limit in limits if hasattr(limit, "le")]
    return f", {lowest[0]} to {highest[0]}" if lowest and highest else ""


def _model_in(hint: Any) -> type[BaseModel] | None:
    """The model of a part of the file behind a type; secret references are values, not parts."""
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return hint
    if get_origin(hint) is Annotated and any(part in _ANY_REFERENCE.__metadata__ for part in hint.__metadata__):
        return None
    found = [model for part in get_args(hint) if (model := _model_in(part))]
    return found[0] if len(found) == 1 else None


def _is_list(hint: Any) -> bool:
    return get_origin(get_args(hint)[0] if get_origin(hint) is Annotated else hint) is list


def _example_of(model: type[BaseModel]) -> dict[str, Any]:
    hints = get_type_hints(model, include_extras=True)
    content: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        inner = _model_in(hints[name])
        value = _example_of(inner) if inner else _example_value(field)
        content[str(field.alias)] = [value] if inner and _is_list(hints[name]) else value
    return content


def _example_value(field: FieldInfo) -> Any:
    if field.examples:
        return copy.deepcopy(field.examples[0])
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    return choices[0] if field.is_required() else _plain(field.default)


def _plain(value: Any) -> Any:
    return format_duration(value) if isinstance(value, timedelta) else value


def _inline(value: Any) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, width=2**31, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")


def _secret_references() -> str:
    rows = []
    for kind in (EnvironmentReference, FileReference, ClusterReference):
        ((name, field),) = kind.model_fields.items()
        keys = ClusterSecretKey.model_fields
        inner = {key: _example_value(of) for key, of in keys.items()} if kind is ClusterReference else None
        meaning = " ".join(str(kind.__doc__).split()).replace("``", "`")
        rows.append(f"| `{_inline({name: inner or _example_value(field)})}` | {meaning} |")
    return _REFERENCE_FORMS + "\n".join(rows) + "\n"


def _whole_example() -> str:
    text = yaml.safe_dump(example(), sort_keys=False, width=100)
    return f"## A file with every key\n\nOnly the keys marked *required* are needed.\n\n```yaml\n{text}```\n"


if __name__ == "__main__":
    sys.stdout.write(document())
