"""Reads registries.conf and its drop-in files as containers/image does.

Source: containers-registries.conf(5), containers-registries.conf.d(5).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from regmirror.client_config.check.inspection import Inspection
from regmirror.client_config.check.settings import mappings

SYSTEM_DIRECTORY = "/etc/containers"


@dataclass(frozen=True, slots=True)
class Entry:
    """The settings of a prefix, and the file that has them."""

    path: str
    settings: dict[str, Any]

    @property
    def mirrors(self) -> list[dict[str, Any]]:
        """The mirrors, in the order in which they are tried."""
        return mappings(self.settings.get("mirror"))


def read_registries_conf(inspection: Inspection, directories: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The main file, which is the user's if there is one, then the drop-in files of all directories.

    Raises FindingError.
    """
    mains = [f"{directory}/registries.conf" for directory in directories]
    existing = [(path, document) for path in mains if (document := inspection.document(path)) is not None]
    yield from existing[-1:]
    for directory in directories:
        for name in inspection.names(f"{directory}/registries.conf.d") or []:
            if name.endswith(".conf"):
                path = f"{directory}/registries.conf.d/{name}"
                yield path, inspection.document(path) or {}


def entries_by_prefix(documents: list[tuple[str, dict[str, Any]]]) -> dict[str, Entry]:
    """The settings by prefix; a later file replaces all settings of a prefix."""
    entries = {}
    for path, document in documents:
        for settings in mappings(document.get("registry")):
            prefix = settings.get("prefix") or settings.get("location")
            if isinstance(prefix, str):
                entries[prefix] = Entry(path, settings)
    return entries
