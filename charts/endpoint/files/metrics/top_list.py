"""The most frequent of any number of names, in little memory.

Source: Metwally, Agrawal and El Abbadi, "Efficient Computation of Frequent and Top-k Elements in Data Streams" (2005),
the algorithm Space-Saving.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
"""The grammar of distribution's reference package."""
_CAPACITY = 200
_SHOWN = 50


class Entry(NamedTuple):
    """A repository; ``uncertain`` of its requests may be those of others, which it has replaced."""

    name: str
    count: int
    uncertain: int


class TopList:
    """Counts requests by repository. Clients may invent as many names as they like: only ``_CAPACITY`` are kept."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def add(self, name: str, times: int) -> None:
        """Count a repository some times; what is not the name of one is ignored."""
        entry = self._entries.get(name)
        if entry is None:
            if not _REPOSITORY.fullmatch(name):
                return
            entry = Entry(name, 0, 0)
            if len(self._entries) >= _CAPACITY:
                # The rarest one makes room. Its count is the most that the new one may have had before.
                rarest = min(self._entries.values(), key=lambda one: one.count)
                del self._entries[rarest.name]
                entry = Entry(name, rarest.count, rarest.count)
        self._entries[name] = entry._replace(count=entry.count + times)

    def entries(self) -> Iterator[Entry]:
        """The most frequent ones, the first one first."""
        yield from sorted(self._entries.values(), key=lambda entry: (-entry.count, entry.name))[:_SHOWN]
