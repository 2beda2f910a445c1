"""Reads where containerd looks for hosts.toml, from its configuration and the files that it imports.

Source: containerd's cmd/containerd/server/config, and ``containerd config dump`` of 2.4.2, which accepts the table of
either version in every file.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from posixpath import dirname, join, normpath
from typing import Any

from regmirror.client_config.check.finding import Finding, error, warning
from regmirror.client_config.check.inspection import Inspection
from regmirror.client_config.check.settings import mapping, strings
from regmirror.client_config.containerd import HOSTS_DIRECTORY, NEW_TABLE, OLD_TABLE, SHORT_TABLE
from regmirror.ports.machine import Version

CONFIG_FILE = "/etc/containerd/config.toml"
_OLDEST_NEW_FORMAT = 3
_OLDEST_LONG_NAMES = 2
_CRI = {"cri", "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images"}
"""The names of the plugin with which the kubelet pulls images."""
_TWO_DIRECTORIES = "/etc/containerd/certs.d:/etc/docker/certs.d"
"""The default since 2.2.0."""
_IGNORES_LISTS: Version = (2, 1)
"""Since this version pulls of the kubelet take a list for one directory, unless use_local_image_pull is set."""
_MOST_FILES = 64


@dataclass(frozen=True, slots=True)
class Setting:
    """A key of a table, and the file that it is in."""

    path: str
    file_version: int
    table: str
    registry: dict[str, Any]

    @property
    def config_path(self) -> str:
        """The directories; empty if the key is missing or names none."""
        value = self.registry.get("config_path")
        return value if isinstance(value, str) and value.strip(":") else ""


def check_config_path(inspection: Inspection) -> Iterator[Finding]:
    """Findings about config_path, as the kubelet's pulls use it."""
    version = inspection.machine.version("containerd")
    documents = list(_documents(inspection))
    settings = [setting for path, document in documents for setting in _settings(path, document)]
    read = [setting for setting in settings if not _is_ignored(setting, version)]
    used = next((setting for setting in reversed(read) if setting.config_path), None)
    ignored = [setting for setting in settings if setting not in read and setting.config_path]
    if ignored and not used:
        yield _wrong_table(ignored[0], error if version else warning)
    elif used:
        local = any(_pulls_locally(document) for _, document in documents)
        yield from _check_list(used.path, used.config_path, version, local=local)
    else:
        yield _no_config_path(documents[0][1] if documents else {}, version)
    yield from _check_disabled(documents)
    for setting in read:
        if setting.registry.get("mirrors") and used:
            message = "has registry.mirrors as well as config_path: containerd refuses to pull images"
            yield error("containerd-old-mirrors", setting.path, message, "remove registry.mirrors")


def hosts_directories(inspection: Inspection) -> list[str]:
    """The directories that containerd looks into, in order; the usual one if the configuration names none."""
    version = inspection.machine.version("containerd")
    for path, document in reversed(list(_documents(inspection))):
        for setting in _settings(path, document):
            if setting.config_path and not _is_ignored(setting, version):
                return [directory for directory in setting.config_path.split(":") if directory]
    return [HOSTS_DIRECTORY]


def _documents(inspection: Inspection) -> Iterator[tuple[str, dict[str, Any]]]:
    """The configuration and its imports, in the order in which later ones override earlier ones."""
    pending, seen = [CONFIG_FILE], set[str]()
    while pending and len(seen) < _MOST_FILES:
        path = pending.pop(0)
        document = None if path in seen else inspection.document(path)
        seen.add(path)
        if document is not None:
            yield path, document
            pending += _imports(inspection, path, document)


def _imports(inspection: Inspection, path: str, document: dict[str, Any]) -> Iterator[str]:
    for pattern in strings(document.get("imports")):
        full = normpath(join(dirname(path), pattern))
        directory = dirname(full)
        names = inspection.names(directory) or []
        yield from (join(directory, name) for name in names if fnmatchcase(join(directory, name), full))


def _settings(path: str, document: dict[str, Any]) -> Iterator[Setting]:
    version = document.get("version", 1)
    plugins = mapping(document, "plugins")
    for table, keys in (
        (SHORT_TABLE, ("cri", "registry")),
        (NEW_TABLE, ("io.containerd.cri.v1.images", "registry")),
        (OLD_TABLE, ("io.containerd.grpc.v1.cri", "registry")),
    ):
        if registry := mapping(plugins, *keys):
            yield Setting(path, version if isinstance(version, int) else 1, table, registry)


def _is_ignored(setting: Setting, version: Version | None) -> bool:
    """Whether containerd does not read a table, by the version of the file and of containerd."""
    if setting.table == SHORT_TABLE:
        return setting.file_version >= _OLDEST_LONG_NAMES
    if setting.file_version < _OLDEST_LONG_NAMES:
        return version is None or version < (2, 0)
    if setting.file_version >= _OLDEST_NEW_FORMAT:
        return setting.table != NEW_TABLE and (version is None or version < (2, 4))
    return setting.table == NEW_TABLE and (version is None or version < (2, 0))


def _pulls_locally(document: dict[str, Any]) -> bool:
    return mapping(document, "plugins", "io.containerd.cri.v1.images").get("use_local_image_pull") is True


def _wrong_table(setting: Setting, report: Callable[[str, str, str, str], Finding]) -> Finding:
    """An error if the version is known: some versions read the tables of others, too."""
    table = _table_of(setting.file_version)
    kind = f"with version = {setting.file_version}" if setting.file_version > 1 else "without version"
    message = f"has config_path under {setting.table}, which is not read in a file {kind}"
    return report("containerd-table", setting.path, message, f"move it to {table}, then systemctl restart containerd")


def _no_config_path(document: dict[str, Any], version: Version | None) -> Finding:
    fix = f"{_place(document, version)}, then systemctl restart containerd"
    if version is not None and version >= (2, 2):
        message = f"does not set config_path, and pulls of the kubelet ignore the default, {_TWO_DIRECTORIES}"
    else:
        message = "does not set config_path: no hosts.toml is read"
    return error("containerd-config-path", CONFIG_FILE, message, fix)


def _place(document: dict[str, Any], version: Version | None) -> str:
    """Where to set config_path; a new file gets the newest version that this containerd surely reads."""
    setting = f'set config_path = "{HOSTS_DIRECTORY}"'
    if document:
        value = document.get("version", 1)
        return f"{setting} under {_table_of(value if isinstance(value, int) else 1)}"
    new = _OLDEST_NEW_FORMAT if version is not None and version >= (2, 0) else _OLDEST_LONG_NAMES
    return f"create it with version = {new} as its first line, and {setting} under {_table_of(new)}"


def _table_of(file_version: int) -> str:
    if file_version >= _OLDEST_NEW_FORMAT:
        return NEW_TABLE
    return OLD_TABLE if file_version >= _OLDEST_LONG_NAMES else SHORT_TABLE


def _check_disabled(documents: list[tuple[str, dict[str, Any]]]) -> Iterator[Finding]:
    """Docker's packages of containerd have a file that turns the plugin off: Docker does not need it."""
    for path, document in documents:
        for name in strings(document.get("disabled_plugins")):
            if name in _CRI:
                message = f"turns off the plugin {name}, as Docker's packages do: the kubelet cannot pull images"
                fix = f'remove "{name}" from disabled_plugins, then systemctl restart containerd'
                yield error("containerd-cri-disabled", path, message, fix)


def _check_list(path: str, config_path: str, version: Version | None, *, local: bool) -> Iterator[Finding]:
    if ":" not in config_path or local:
        return
    message = f"config_path is a list ({config_path}), which pulls of the kubelet take for one directory"
    fix = f'set config_path = "{HOSTS_DIRECTORY}", then systemctl restart containerd'
    if version is None:
        yield warning("containerd-config-path-list", path, f"{message} since containerd 2.1", fix)
    elif version >= _IGNORES_LISTS:
        yield error("containerd-config-path-list", path, message, fix)
