"""Finds the fields of a live object that other field managers than regmirror and Helm own.

Source: Kubernetes, ``sigs.k8s.io/structured-merge-diff`` ``fieldpath/serialize.go`` (the format ``FieldsV1``).
"""

import json
from collections.abc import Collection, Iterator
from typing import Any

from regmirror.deploy.diff_fields import Path, fields_of, list_item_keys
from regmirror.ports.cluster import Object

_CONTROLLER = "kube-controller-manager"
"""Writes the revision of a Deployment into an annotation, for ``kubectl rollout undo``."""


def foreign_fields(live: Object, ours: Collection[str]) -> dict[Path, str]:
    """The fields that other field managers than ``ours`` own, each with the manager's name."""
    owners: dict[Path, str] = {}
    values = fields_of(live)
    for entry in live["metadata"].get("managedFields") or []:
        manager = str(entry.get("manager") or "unknown")
        if manager in {*ours, _CONTROLLER} or entry.get("subresource") == "status":
            continue
        for top in _paths(entry.get("fieldsV1") or {}, live, ()):
            owners |= {path: manager for path in values if path[: len(top)] == top}
    return owners


def _paths(owned: dict[str, Any], part: Any, path: Path) -> Iterator[Path]:
    """The paths of what is owned within a part of the live object; removed items have none."""
    inner = {key: value for key, value in owned.items() if key != "."}
    if not inner:
        yield path
    for key, below in inner.items():
        resolved = _resolve(key, part)
        if resolved:
            element, value = resolved
            yield from _paths(below, value, (*path, element))


def _resolve(key: str, part: Any) -> tuple[str, Any] | None:
    kind, _, rest = key.partition(":")
    if kind == "f":
        return (rest, part[rest]) if isinstance(part, dict) and rest in part else None
    if not isinstance(part, list):
        return None
    wanted = int(rest) if kind == "i" else json.loads(rest)
    for number, (element, item) in enumerate(zip(list_item_keys(part), part, strict=True)):
        if _matches(kind, wanted, number, item):
            return element, item
    return None


def _matches(kind: str, wanted: Any, number: int, item: Any) -> bool:
    if kind == "k":
        return isinstance(item, dict) and all(item.get(key) == value for key, value in wanted.items())
    return bool(number == wanted) if kind == "i" else bool(item == wanted)
