"""Where a live configuration file differs from what it should be, told by keys alone: values may be secrets."""

from collections.abc import Collection
from typing import Any


def differing_keys(wanted: Any, live: Any, ignored: Collection[str] = (), path: str = "") -> list[str]:
    """The dotted paths at which two documents differ, shortest first, without those that are ``ignored``."""
    if path in ignored or wanted == live:
        return []
    if not isinstance(wanted, dict) or not isinstance(live, dict):
        return [path]
    keys = [*wanted, *(key for key in live if key not in wanted)]
    inner = [
        differing_keys(wanted.get(key), live.get(key), ignored, f"{path}.{key}" if path else str(key)) for key in keys
    ]
    return [found for part in inner for found in part]
