"""Checks what podman, skopeo, buildah and CRI-O read: registries.conf, CAs and logins.

Source: containers-registries.conf(5), containers-certs.d(5), containers-auth.json(5), crio.conf(5); the order of
directories: containers/image, docker/docker_client.go.
"""

from collections.abc import Iterator

from regmirror.client_config.check.authority import CaFiles, check_ca
from regmirror.client_config.check.finding import Finding, error, warning
from regmirror.client_config.check.inspection import Inspection
from regmirror.client_config.check.login import auth_file, check_mode, missing_login, stored_user
from regmirror.client_config.check.registries_conf import (
    SYSTEM_DIRECTORY,
    Entry,
    entries_by_prefix,
    read_registries_conf,
)
from regmirror.client_config.check.settings import check_order, mapping, strings
from regmirror.client_config.containers import CERTIFICATES_DIRECTORY, REGISTRIES_FILE
from regmirror.client_config.registries import MirroredRegistry
from regmirror.config.images import DOCKER_IO

_SHORT_NAMES = "unqualified-search-registries"
_DIGEST_ONLY = "digest-only"


def check_podman(inspection: Inspection) -> Iterator[Finding]:
    """Everything that keeps podman, skopeo and buildah from using the mirror, for the user who runs the check."""
    own = f"{inspection.machine.home}/.config/containers"
    yield from _check_files(inspection, [SYSTEM_DIRECTORY, own])
    directories = [f"{own}/certs.d", CERTIFICATES_DIRECTORY, "/etc/docker/certs.d"]
    for host in inspection.options.hosts:
        yield from _check_certificates(inspection, directories, host)
        yield from _check_podman_login(inspection, host, own)


def check_crio(inspection: Inspection) -> Iterator[Finding]:
    """Everything that keeps CRI-O from using the mirror."""
    yield from _check_files(inspection, [SYSTEM_DIRECTORY])
    for host in inspection.options.hosts:
        yield from _check_certificates(inspection, [CERTIFICATES_DIRECTORY, "/etc/docker/certs.d"], host)
        yield from _check_crio_login(inspection, host)


def _check_files(inspection: Inspection, directories: list[str]) -> Iterator[Finding]:
    documents = list(read_registries_conf(inspection, directories))
    entries = entries_by_prefix(documents)
    for registry in inspection.options.registries:
        entry = entries.get(registry.name)
        if entry is None:
            message = f"no file of registries.conf.d has a mirror of {registry.name}"
            yield error("file-missing", REGISTRIES_FILE, message, f"write it as {inspection.setup_command} prints it")
        else:
            yield from _check_entry(inspection, entry, registry)
        yield from _check_narrower(entries, registry)
    searched = [document[_SHORT_NAMES] for _, document in documents if _SHORT_NAMES in document]
    if any(registry.name == DOCKER_IO for registry in inspection.options.registries):
        yield from _check_short_names(strings(searched[-1]) if searched else [])


def _check_entry(inspection: Inspection, entry: Entry, registry: MirroredRegistry) -> Iterator[Finding]:
    locations = [str(mirror.get("location", "")) for mirror in entry.mirrors]
    yield from check_order(entry.path, registry, locations, inspection.setup_command)
    if entry.settings.get("blocked") is True:
        yield error("containers-blocked", entry.path, f"{registry.name} is blocked", "remove blocked = true")
    mirror = next((one for one in entry.mirrors if one.get("location") == registry.host), {})
    if entry.settings.get("mirror-by-digest-only") is True or mirror.get("pull-from-mirror") == _DIGEST_ONLY:
        message = f"{registry.mirror} is used for pulls by digest only, not by tag"
        fix = "remove mirror-by-digest-only and pull-from-mirror"
        yield error("containers-digest-only", entry.path, message, fix)
    if mirror.get("insecure") is True:
        message = f"insecure = true: the certificate of {registry.host} is not checked"
        yield warning("tls-not-verified", entry.path, message, "remove insecure")


def _check_narrower(entries: dict[str, Entry], registry: MirroredRegistry) -> Iterator[Finding]:
    """An entry with a longer prefix is used instead."""
    for prefix, entry in entries.items():
        hosts = [mirror.get("location") for mirror in entry.mirrors]
        if prefix.startswith(f"{registry.name}/") and registry.host not in hosts:
            message = f"the entry for {prefix} is used for its images, and does not have the mirror"
            fix = f"add {registry.host} to its mirrors as the first, or remove the entry"
            yield warning("containers-narrower-prefix", entry.path, message, fix)


def _check_short_names(searched: list[str]) -> Iterator[Finding]:
    if DOCKER_IO not in searched:
        path = f"{SYSTEM_DIRECTORY}/registries.conf"
        message = f"{DOCKER_IO} is not in {_SHORT_NAMES}: names without a registry, such as library/alpine, are refused"
        yield warning("containers-short-names", path, message, f'set {_SHORT_NAMES} = ["{DOCKER_IO}"]')


def _check_certificates(inspection: Inspection, directories: list[str], host: str) -> Iterator[Finding]:
    """Only the first directory that exists is read."""
    expected = f"{CERTIFICATES_DIRECTORY}/{host}/ca.crt"
    for directory in directories:
        names = inspection.names(f"{directory}/{host}")
        if names is not None:
            paths = [f"{directory}/{host}/{name}" for name in names if name.endswith(".crt")]
            yield from check_ca(inspection, CaFiles(host, paths, f"{directory}/{host}/ca.crt"))
            return
    yield from check_ca(inspection, CaFiles(host, [], expected))


def _check_podman_login(inspection: Inspection, host: str, own: str) -> Iterator[Finding]:
    lasting = [f"{own}/auth.json", auth_file(inspection.machine.home)]
    user = inspection.machine.user_id
    volatile = [f"/run/user/{user}/containers/auth.json", f"/run/containers/{user}/auth.json"]
    fix = f"podman login --authfile {lasting[0]} --username {inspection.options.user} {host}"
    if any(stored_user(inspection.document(path), host) is not None for path in lasting):
        return
    found = next((path for path in volatile if stored_user(inspection.document(path), host) is not None), None)
    if found is None:
        yield from missing_login(inspection, lasting[0], host, fix)
    elif inspection.options.user:
        yield warning("login-volatile", found, f"the login at {host} is lost at the next boot", fix)


def _check_crio_login(inspection: Inspection, host: str) -> Iterator[Finding]:
    path = _global_auth_file(inspection)
    if not path:
        fix = f"set it as {inspection.setup_command} --user {inspection.options.user} prints it"
        yield from missing_login(inspection, "/etc/crio/crio.conf.d: global_auth_file", host, fix)
    elif stored_user(inspection.document(path), host) is None:
        fix = f"podman login --authfile {path} --username {inspection.options.user} {host}"
        yield from missing_login(inspection, path, host, fix)
    else:
        yield from check_mode(inspection, path)


def _global_auth_file(inspection: Inspection) -> str:
    directory = "/etc/crio/crio.conf.d"
    names = inspection.names(directory) or []
    value = ""
    for path in ["/etc/crio/crio.conf", *(f"{directory}/{name}" for name in names)]:
        document = inspection.document(path) if path.endswith(".conf") else None
        value = str(mapping(document, "crio", "image").get("global_auth_file") or value)
    return value
