"""Checks what containerd reads: config.toml, and the directory of each registry.

Source: containerd's core/remotes/docker/config/hosts.go.
"""

from collections.abc import Iterator
from dataclasses import replace
from posixpath import join
from typing import Any

from regmirror.client_config.check.authority import CaFiles, check_ca
from regmirror.client_config.check.containerd_settings import check_config_path, hosts_directories
from regmirror.client_config.check.finding import Finding, Severity, error, warning
from regmirror.client_config.check.inspection import Inspection
from regmirror.client_config.check.login import check_header
from regmirror.client_config.check.settings import check_order, mapping, strings
from regmirror.client_config.registries import MirroredRegistry
from regmirror.config.images import DOCKER_IO

_LOGIN_SINCE = (2, 1)
_NEEDED = {"pull", "resolve"}


def check_containerd(inspection: Inspection) -> Iterator[Finding]:
    """Everything that keeps containerd from using the mirror."""
    yield from check_config_path(inspection)
    roots = hosts_directories(inspection)
    for registry in inspection.options.registries:
        yield from _check_registry(inspection, roots, registry)
    yield from _check_version(inspection)
    for host in inspection.options.hosts:
        yield from _check_own_name(inspection, roots, host)


def _check_version(inspection: Inspection) -> Iterator[Finding]:
    version = inspection.machine.version("containerd")
    if inspection.options.user and version is not None and version < _LOGIN_SINCE:
        shown = ".".join(map(str, version))
        message = f"containerd {shown} does not send the login to the token endpoint: pulls are anonymous"
        yield error("login-version", "containerd", message, "update containerd to 2.1 or newer")


def _check_registry(inspection: Inspection, roots: list[str], registry: MirroredRegistry) -> Iterator[Finding]:
    directory = _host_directory(inspection, roots, registry.name)
    expected = join(roots[0], registry.name, "hosts.toml")
    if directory is None:
        message = f"there is no such file: {registry.name} has no mirror"
        fix = f"write it as {inspection.setup_command} prints it"
        yield error("file-missing", expected, message, fix)
        return
    path = join(directory, "hosts.toml")
    document = inspection.document(path)
    if document is None:
        message = f"there is no such file, but {directory} exists, and nothing else is read for {registry.name}"
        yield error("file-missing", path, message, f"write it as {inspection.setup_command} prints it")
        return
    yield from _check_hosts(inspection, path, document, registry)


def _host_directory(inspection: Inspection, roots: list[str], name: str) -> str | None:
    """The first directory for a registry; containerd reads no other."""
    host, colon, port = name.rpartition(":")
    names = [f"{host}_{port}_", name, "_default"] if colon else [name, "_default"]
    candidates = [join(root, candidate) for root in roots for candidate in names]
    return next((directory for directory in candidates if inspection.names(directory) is not None), None)


def _check_hosts(
    inspection: Inspection, path: str, document: dict[str, Any], registry: MirroredRegistry
) -> Iterator[Finding]:
    hosts = mapping(document, "host")
    server = document.get("server")
    yield from check_order(path, registry, strings([*hosts, server]), inspection.setup_command)
    if registry.name == DOCKER_IO and server and server != registry.mirror:
        message = "has a line server, because of which nerdctl login at Docker Hub fails"
        yield warning("containerd-server", path, message, "remove the line; containerd uses the same host without it")
    key = next((key for key in hosts if key.removeprefix("https://").rstrip("/") == registry.host), None)
    if key is not None:
        yield from _check_host(inspection, path, mapping(hosts, key), registry)


def _check_host(
    inspection: Inspection, path: str, host: dict[str, Any], registry: MirroredRegistry
) -> Iterator[Finding]:
    capabilities = host.get("capabilities")
    if isinstance(capabilities, list) and not {str(one).lower() for one in capabilities} >= _NEEDED:
        message = f"{registry.mirror} lacks the capability pull or resolve"
        yield error("containerd-capabilities", path, message, 'set capabilities = ["pull", "resolve"]')
    if host.get("override_path") is True:
        message = f"override_path makes containerd leave out /v2 at {registry.mirror}"
        yield error("containerd-override-path", path, message, "remove override_path")
    if host.get("skip_verify") is True:
        message = f"skip_verify: the certificate of {registry.mirror} is not checked"
        yield warning("tls-not-verified", path, message, "remove skip_verify, and name the CA with ca")
    else:
        yield from check_ca(
            inspection, CaFiles(registry.host, _ca_paths(path, host), join(path.rpartition("/")[0], "ca.crt"))
        )
    yield from check_header(inspection, path, registry.host, mapping(host, "header"))


def _ca_paths(path: str, host: dict[str, Any]) -> list[str]:
    value = host.get("ca")
    names = value if isinstance(value, list) else [value] if value else []
    return [join(path.rpartition("/")[0], str(name)) for name in names]


def _check_own_name(inspection: Inspection, roots: list[str], host: str) -> Iterator[Finding]:
    """Images by the mirror's own name need the CA and the login, too."""
    path = join(roots[0], host, "hosts.toml")
    directory = _host_directory(inspection, roots, host)
    if directory is not None:
        path = join(directory, "hosts.toml")
        yield from _check_own_login(inspection, path, host)
    elif inspection.options.ca_pem and _has_mirror(inspection, roots, host):
        message = f"there is no such file: images named {host}/... cannot be pulled, because the CA is missing"
        yield warning("own-name", path, message, f"write it as {inspection.setup_command} --ca-file FILE prints it")


def _has_mirror(inspection: Inspection, roots: list[str], host: str) -> bool:
    """Whether a registry that this host mirrors was set up at all."""
    names = [registry.name for registry in inspection.options.registries if registry.host == host]
    return any(_host_directory(inspection, roots, name) is not None for name in names)


def _check_own_login(inspection: Inspection, path: str, host: str) -> Iterator[Finding]:
    """A missing login is a warning: the runtime may have it from elsewhere, such as a pull secret for this host."""
    document = inspection.document(path)
    named = mapping(document, "host", f"https://{host}", "header")
    for finding in check_header(inspection, path, host, named or mapping(document, "header")):
        is_missing = finding.id == "login-missing"
        yield replace(finding, severity=Severity.WARNING) if is_missing else finding
