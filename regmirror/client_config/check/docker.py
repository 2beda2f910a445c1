"""Checks what dockerd reads, and the logins of the user who runs docker.

Source: measured with docker 20.10, 28.5 and 29; Docker's "containerd image store with Docker Engine", which is the
default of new installations since 29.
"""

from collections.abc import Iterator
from typing import Any

from regmirror.client_config.check.authority import CaFiles, check_ca, check_trust_store, in_trust_store
from regmirror.client_config.check.finding import Finding, error, warning
from regmirror.client_config.check.inspection import Inspection
from regmirror.client_config.check.login import auth_file, is_logged_in_to_hub, missing_login, stored_user
from regmirror.client_config.check.settings import check_order, mapping, strings
from regmirror.client_config.docker import DAEMON_FILE, DOCKER_CERTIFICATES, docker_hub
from regmirror.client_config.registries import MirroredRegistry
from regmirror.client_config.trust import trust_store_step
from regmirror.ports.machine import Version

_RELOADS_BUILDER_SINCE = (25,)
_SNAP = "/var/snap/docker/current/config"
_CONTAINERD_STORE_SINCE = (29,)
_TOKENS_BY_DAEMON_TRUST = (28,)
"""With the containerd image store, this major version fetches tokens with the trust store of the system."""


def check_docker(inspection: Inspection) -> Iterator[Finding]:
    """Everything that keeps dockerd from using the mirror."""
    hub = docker_hub(inspection.options)
    path, certificates = _places(inspection)
    settings = inspection.document(path)
    if settings is None:
        version = inspection.machine.version("dockerd")
        action = "restart" if version and version < _RELOADS_BUILDER_SINCE else "reload"
        fix = f"write it as {inspection.setup_command} prints it, then systemctl {action} docker"
        yield error("file-missing", path, "there is no such file: dockerd uses no mirror", fix)
        settings = {}
    else:
        yield from _check_mirrors(inspection, path, settings, hub)
    yield from _check_certificates(inspection, settings, hub, f"{certificates}/{hub.host}")
    yield from _check_logins(inspection, settings, hub)


def _places(inspection: Inspection) -> tuple[str, str]:
    """The file of the daemon and the directory of its CAs; a snap, and a rootless daemon, do not read /etc/docker."""
    if inspection.names(_SNAP) is not None:
        return f"{_SNAP}/daemon.json", DOCKER_CERTIFICATES
    rootless = f"{inspection.machine.home}/.config/docker"
    if inspection.text(DAEMON_FILE) is None and inspection.text(f"{rootless}/daemon.json") is not None:
        return f"{rootless}/daemon.json", f"{rootless}/certs.d"
    return DAEMON_FILE, DOCKER_CERTIFICATES


def _check_mirrors(
    inspection: Inspection, path: str, settings: dict[str, Any], hub: MirroredRegistry
) -> Iterator[Finding]:
    yield from check_order(path, hub, strings(settings.get("registry-mirrors")), inspection.setup_command)
    if hub.host in strings(settings.get("insecure-registries")):
        message = f"{hub.host} is in insecure-registries: its certificate is not checked"
        yield warning("tls-not-verified", path, message, "remove it from the list")


def _check_certificates(
    inspection: Inspection, settings: dict[str, Any], hub: MirroredRegistry, directory: str
) -> Iterator[Finding]:
    names = [name for name in inspection.names(directory) or [] if name.endswith(".crt")]
    ca_file = f"{directory}/ca.crt"
    yield from check_ca(inspection, CaFiles(hub.host, [f"{directory}/{name}" for name in names], ca_file))
    version = inspection.machine.version("dockerd")
    if version and version[:1] == _TOKENS_BY_DAEMON_TRUST and _containerd_store(settings, version):
        if not in_trust_store(inspection):
            fix = trust_store_step("on this machine, then systemctl restart docker", ca_file)
            message = "docker 28 with the containerd image store fetches tokens with the CAs of the system only"
            yield error("trust-store-docker-28", DAEMON_FILE, message, fix)
    else:
        reason = "docker build and docker buildx on this machine go to Docker Hub silently"
        yield from check_trust_store(inspection, ca_file, "if builds run on this machine", reason)


def _containerd_store(settings: dict[str, Any], version: Version | None) -> bool | None:
    """Whether the daemon uses the containerd image store; None if that is not known."""
    chosen = mapping(settings, "features").get("containerd-snapshotter")
    if isinstance(chosen, bool):
        return chosen
    if version is None:
        return None
    # An installation that was updated from 28 keeps its classic store.
    return False if version < _CONTAINERD_STORE_SINCE else None


def _check_logins(inspection: Inspection, settings: dict[str, Any], hub: MirroredRegistry) -> Iterator[Finding]:
    path = auth_file(inspection.machine.home)
    document = inspection.document(path)
    if is_logged_in_to_hub(document):
        yield from _hub_login(path, _containerd_store(settings, inspection.machine.version("dockerd")))
    if stored_user(document, hub.host) is None:
        fix = f"docker login --username {inspection.options.user} {hub.host}"
        yield from missing_login(inspection, path, hub.host, fix)


def _hub_login(path: str, containerd_store: bool | None) -> Iterator[Finding]:
    sent = "is logged in to Docker Hub; the classic image store sends this login to the mirror, which refuses it"
    if containerd_store is False:
        yield error("login-docker-hub", path, sent, "docker logout, or use the containerd image store")
    elif containerd_store is None:
        fix = "docker logout, unless docker info shows driver-type: io.containerd.snapshotter.v1"
        yield warning("login-docker-hub", path, sent, fix)
