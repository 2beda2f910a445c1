"""Checks registries.yaml of K3s and RKE2, and whether the service has been restarted with it.

Source: pkg/agent/containerd/config.go of K3s.
"""

from collections.abc import Iterator
from typing import Any

from regmirror.client_config.check.authority import CaFiles, check_ca
from regmirror.client_config.check.finding import Finding, error, warning
from regmirror.client_config.check.inspection import Checker, Inspection
from regmirror.client_config.check.login import check_user, decode_login, missing_login
from regmirror.client_config.check.settings import check_order, mapping, strings
from regmirror.client_config.registries import MirroredRegistry

_ANY = "*"
"""In ``mirrors``: every registry without an entry of its own."""


def rancher_checker(product: str) -> Checker:
    """The check of k3s or rke2."""

    def check(inspection: Inspection) -> Iterator[Finding]:
        path = f"/etc/rancher/{product}/registries.yaml"
        document = inspection.document(path)
        if document is None:
            fix = f"write it as {inspection.setup_command} prints it, then restart {product}"
            yield error("file-missing", path, f"there is no such file: {product} uses no mirror", fix)
            return
        for registry in inspection.options.registries:
            yield from _check_mirror(inspection, path, document, registry)
            yield from _check_generated(inspection, product, registry)
        for host in inspection.options.hosts:
            yield from _check_host(inspection, path, mapping(document, "configs", host), host)

    return check


def _check_mirror(
    inspection: Inspection, path: str, document: dict[str, Any], registry: MirroredRegistry
) -> Iterator[Finding]:
    mirrors = mapping(document, "mirrors")
    entry = mapping(mirrors, registry.name) or mapping(mirrors, _ANY)
    # An endpoint without a path, and one with the default path /v2, are the same.
    endpoints = [endpoint.removesuffix("/v2") for endpoint in strings(entry.get("endpoint"))]
    yield from check_order(path, registry, endpoints, inspection.setup_command)


def _check_generated(inspection: Inspection, product: str, registry: MirroredRegistry) -> Iterator[Finding]:
    """The service writes hosts.toml when it starts; older versions do not, and have no such directory."""
    directory = f"/var/lib/rancher/{product}/agent/etc/containerd/certs.d"
    if inspection.names(directory) is None:
        return
    path = f"{directory}/{registry.name}/hosts.toml"
    if registry.mirror not in (inspection.text(path) or ""):
        message = f"does not have {registry.mirror}: {product} has not been restarted since registries.yaml was written"
        yield error("restart-needed", path, message, f"systemctl restart {_services(product)}")


def _services(product: str) -> str:
    return "k3s, or k3s-agent on an agent" if product == "k3s" else "rke2-server, or rke2-agent on an agent"


def _check_host(inspection: Inspection, path: str, settings: dict[str, Any], host: str) -> Iterator[Finding]:
    tls = mapping(settings, "tls")
    if tls.get("insecure_skip_verify") is True:
        message = f"insecure_skip_verify: the certificate of {host} is not checked"
        yield warning("tls-not-verified", path, message, "remove it, and name the CA with ca_file")
    else:
        ca_file = tls.get("ca_file")
        expected = f"{path.rpartition('/')[0]}/regmirror-ca.crt"
        yield from check_ca(inspection, CaFiles(host, [str(ca_file)] if ca_file else [], expected))
    yield from _check_login(inspection, path, mapping(settings, "auth"), host)


def _check_login(inspection: Inspection, path: str, auth: dict[str, Any], host: str) -> Iterator[Finding]:
    if not auth:
        fix = f"add it as {inspection.setup_command} --user {inspection.options.user} prints it, then restart"
        yield from missing_login(inspection, path, host, fix)
        return
    encoded = decode_login(f"Basic {auth.get('auth', '')}")
    user, password = encoded or (str(auth.get("username", "")), auth.get("password"))
    yield from check_user(inspection, path, user, password if isinstance(password, str) else None)
