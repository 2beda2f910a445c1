"""Which fields of a live object others than regmirror and Helm have set, as the API server remembers it.

Source: Kubernetes, ``sigs.k8s.io/structured-merge-diff`` ``fieldpath/serialize.go`` (the format ``FieldsV1``).
"""

import json
from collections.abc import Collection, Iterator
from typing import Any

from regmirror.deploy.diff_fields import Path, fields_of, list_item_keys
from regmirror.ports.cluster import Object

_CONTROLLER = "kube-controller-manager"
"""Notes revisions on Deployments, by which kubectl finds its way back."""


def foreign_fields(live: Object, ours: Collection[str]) -> dict[Path, str]:
    """The fields that somebody else than the field managers ``ours`` has set, each with the name of who did."""
    found: dict[Path, str] = {}
    values = fields_of(live)
    for entry in live["metadata"].get("managedFields") or []:
        manager = str(entry.get("manager") or "somebody")
        if manager in {*ours, _CONTROLLER} or entry.get("subresource") == "status":
            continue
        for top in _ways(entry.get("fieldsV1") or {}, live, ()):
            found |= {path: manager for path in values if path[: len(top)] == top}
    return found


def _ways(owned: dict[str, Any], part: Any, path: Path) -> Iterator[Path]:
    """The ways to what is owned within a part of the live object; an item that is gone by now has none."""
    inner = {key: value for key, value in owned.items() if key != "."}
    if not inner:
        yield path
    for key, below in inner.items():
        found = _step(key, part)
        if found:
            step, value = found
            yield from _ways(below, value, (*path, step))


def _step(key: str, part: Any) -> tuple[str, Any] | None:
    kind, _, rest = key.partition(":")
    if kind == "f":
        return (rest, part[rest]) if isinstance(part, dict) and rest in part else None
    if not isinstance(part, list):
        return None
    wanted = int(rest) if kind == "i" else json.loads(rest)
    for number, (step, item) in enumerate(zip(list_item_keys(part), part, strict=True)):
        if _is_meant(kind, wanted, number, item):
            return step, item
    return None


def _is_meant(kind: str, wanted: Any, number: int, item: Any) -> bool:
    if kind == "k":
        return isinstance(item, dict) and all(item.get(key) == value for key, value in wanted.items())
    return bool(number == wanted) if kind == "i" else bool(item == wanted)
