"""Checks what a standalone BuildKit daemon reads, and what its clients need on this machine."""

from collections.abc import Iterator
from typing import Any

from regmirror.client_config.check.authority import CaFiles, check_ca, check_trust_store
from regmirror.client_config.check.finding import Finding, error, warning
from regmirror.client_config.check.inspection import Inspection
from regmirror.client_config.check.login import auth_file, missing_login, stored_user
from regmirror.client_config.check.settings import check_order, mapping, strings
from regmirror.client_config.docker import BUILDKIT_CA_FILE, BUILDKIT_FILE


def check_buildkit(inspection: Inspection) -> Iterator[Finding]:
    """Everything that keeps buildkitd from using the mirror."""
    path = BUILDKIT_FILE
    document = inspection.document(path)
    if document is None:
        path = f"{inspection.machine.home}/.config/buildkit/buildkitd.toml"
        document = inspection.document(path)
    if document is None:
        fix = f"write it as {inspection.setup_command} prints it, then restart buildkitd"
        yield error("file-missing", BUILDKIT_FILE, "there is no such file: buildkitd uses no mirror", fix)
        return
    yield from _check_registries(inspection, path, document)
    reason = "docker buildx on this machine cannot fetch tokens, and builds go to the registry itself silently"
    yield from check_trust_store(inspection, BUILDKIT_CA_FILE, "if builds are started on this machine", reason)
    yield from _check_login(inspection)


def _check_registries(inspection: Inspection, path: str, document: dict[str, Any]) -> Iterator[Finding]:
    for registry in inspection.options.registries:
        mirrors = strings(mapping(document, "registry", registry.name).get("mirrors"))
        yield from check_order(path, registry, mirrors, inspection.setup_command)
    for host in inspection.options.hosts:
        settings = mapping(document, "registry", host)
        if settings.get("http") is True:
            message = f"http = true: buildkitd reaches {host} without TLS, and the login would be sent in the clear"
            yield error("tls-not-used", path, message, "remove http")
        elif settings.get("insecure") is True:
            message = f"insecure = true: the certificate of {host} is not checked"
            yield warning("tls-not-verified", path, message, "remove insecure, and name the CA with ca")
        else:
            yield from check_ca(inspection, CaFiles(host, strings(settings.get("ca")), BUILDKIT_CA_FILE))


def _check_login(inspection: Inspection) -> Iterator[Finding]:
    path = auth_file(inspection.machine.home)
    document = inspection.document(path)
    for host in inspection.options.hosts:
        if stored_user(document, host) is None:
            yield from missing_login(
                inspection, path, host, f"docker login --username {inspection.options.user} {host}"
            )
