"""Removes values that the names next to them mark as secret, before a document becomes text."""

from typing import Any

from regmirror.support.lookalikes import FIELD, OPTION, VARIABLE
from regmirror.support.redact import REDACTED


def without_marked_values(part: Any) -> Any:
    """The same without the values of variables, fields and options whose names say that they are secret."""
    if isinstance(part, list):
        return _list(part)
    if not isinstance(part, dict):
        return part
    if isinstance(part.get("value"), str) and VARIABLE.search(str(part.get("name", ""))):
        return {**part, "value": REDACTED}
    return {
        key: REDACTED if isinstance(value, str) and FIELD.fullmatch(str(key)) else without_marked_values(value)
        for key, value in part.items()
    }


def _list(items: list[Any]) -> list[Any]:
    """An argument may be in the item after its option."""
    follows_option = [False, *(isinstance(item, str) and bool(OPTION.fullmatch(item)) for item in items)]
    return [
        REDACTED if after_option and isinstance(item, str) and not item.startswith("-") else without_marked_values(item)
        for item, after_option in zip(items, follows_option, strict=False)
    ]
