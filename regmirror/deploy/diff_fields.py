"""Kubernetes objects as flat fields, so that two of them can be compared and each difference can be named."""

from collections.abc import Iterable, Iterator
from typing import Any

from regmirror.ports.cluster import Object

Path = tuple[str, ...]
"""The path of a value; an item of a list is in brackets: ``[auth]`` if items have names, else ``[0]``."""

_NAMES = ("name", "host", "path", "mountPath")
"""The keys that identify the items of a list, tried in this order."""


def fields_of(target: Object) -> dict[Path, Any]:
    """Every value of an object by its path, without status and the metadata that the API server sets.

    An empty part counts as absent, as it does for the API server.
    """
    metadata = {key: (target.get("metadata") or {}).get(key) or {} for key in ("labels", "annotations")}
    kept = {key: value for key, value in target.items() if key not in {"apiVersion", "kind", "metadata", "status"}}
    return dict(_leaves({"metadata": metadata, **kept}, ()))


def list_item_keys(items: list[Any]) -> list[str]:
    """The path element of each item of a list."""
    for name in _NAMES:
        values = [item.get(name) if isinstance(item, dict) else None for item in items]
        if all(isinstance(value, str) for value in values) and len(set(values)) == len(values):
            return [f"[{value}]" for value in values]
    return [f"[{number}]" for number in range(len(items))]


def format_path(path: Path) -> str:
    """A path as people write it: ``spec.template.spec.containers[auth].image``."""
    text = ""
    for step in path:
        if step.startswith("["):
            text += step
        else:
            # A dot within an element would look like two elements.
            text += f"[{step}]" if "." in step else f".{step}"
    return text.removeprefix(".")


def outermost_unowned(path: Path, owned: Iterable[Path]) -> Path:
    """The outermost part of a path with nothing ``owned`` below it: a whole variable, not its name and value."""
    others = [other for other in owned if other != path]
    for length in range(1, len(path)):
        if not any(other[:length] == path[:length] for other in others):
            is_list = path[length].startswith("[")
            return path[: length + 1] if is_list else path[:length]
    return path


def _leaves(part: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(part, dict):
        for key, value in part.items():
            yield from _leaves(value, (*path, str(key)))
    elif isinstance(part, list):
        for step, value in zip(list_item_keys(part), part, strict=True):
            yield from _leaves(value, (*path, step))
    elif part is not None:
        yield path, part
