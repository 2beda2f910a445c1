"""Kubernetes objects as flat fields, so that two of them can be compared and each difference can be named."""

from collections.abc import Iterable, Iterator
from typing import Any

from regmirror.ports.cluster import Object

Path = tuple[str, ...]
"""The way to a value; an item of a list is a step in brackets: ``[auth]`` where items have names, else ``[0]``."""

_NAMES = ("name", "host", "path", "mountPath")
"""What tells the items of a list apart, tried in this order."""


def fields_of(found: Object) -> dict[Path, Any]:
    """Every value of an object by its way, without status and without what the API server keeps about the object.

    An empty part counts as none, as it does for the API server.
    """
    metadata = {key: (found.get("metadata") or {}).get(key) or {} for key in ("labels", "annotations")}
    kept = {key: value for key, value in found.items() if key not in {"apiVersion", "kind", "metadata", "status"}}
    return dict(_leaves({"metadata": metadata, **kept}, ()))


def list_item_keys(items: list[Any]) -> list[str]:
    """One step of a way for each item of a list."""
    for name in _NAMES:
        values = [item.get(name) if isinstance(item, dict) else None for item in items]
        if all(isinstance(value, str) for value in values) and len(set(values)) == len(values):
            return [f"[{value}]" for value in values]
    return [f"[{number}]" for number in range(len(items))]


def written(path: Path) -> str:
    """A way as people write it: ``spec.template.spec.containers[auth].image``."""
    text = ""
    for step in path:
        if step.startswith("["):
            text += step
        else:
            # A dot within a step would look like two steps.
            text += f"[{step}]" if "." in step else f".{step}"
    return text.removeprefix(".")


def outermost_unowned(path: Path, taken: Iterable[Path]) -> Path:
    """The highest part on a way below which nothing is ``taken``: a whole variable, rather than its name and value."""
    ways = [other for other in taken if other != path]
    for length in range(1, len(path)):
        if not any(other[:length] == path[:length] for other in ways):
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
