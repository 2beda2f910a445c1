"""Compares nested documents and reports paths only, because the values may be secrets."""

from collections.abc import Iterator
from typing import Any

Path = tuple[str, ...]


def differing_paths(wanted: Any, live: Any, path: Path = ()) -> Iterator[Path]:
    """The shortest paths at which two documents differ; those that only ``live`` has come after those of ``wanted``."""
    if wanted == live:
        return
    if not isinstance(wanted, dict) or not isinstance(live, dict):
        yield path
        return
    for key, value in wanted.items():
        yield from differing_paths(value, live.get(key), (*path, str(key)))
    yield from ((*path, str(key)) for key in live if key not in wanted)
