"""Well-known hosts of registries: the many names of Docker Hub, and hosts whose token service the registry refuses."""

from urllib.parse import urlsplit

from regmirror.config.images import DOCKER_HUB
from regmirror.config.realms import is_realm_allowed

_DOCKER_HUB_NAMES = {
    "docker.io",
    "www.docker.io",
    "index.docker.io",
    "registry.docker.io",
    "registry-1.docker.io",
    "hub.docker.com",
    "registry.hub.docker.com",
}
_NO_REGISTRY = {
    "docker.com": DOCKER_HUB,
    "www.docker.com": DOCKER_HUB,
    "auth.docker.io": DOCKER_HUB,
    "cloud.docker.com": DOCKER_HUB,
    "github.com": "https://ghcr.io",
    "docker.pkg.github.com": "https://ghcr.io",
    "gitlab.com": "https://registry.gitlab.com",
}
"""Websites and services that are no registries, and the registry that is meant."""
_TOKEN_SERVICES = {
    "lscr.io": "https://ghcr.io",
    "cr.fluentbit.io": "https://ghcr.io",
    "cr.l5d.io": "https://ghcr.io",
}
"""Names that publishers gave to another registry, whose token service has the domain of that registry."""


def canonical_url(url: str) -> str:
    """The URL of the registry that is meant; raises ValueError for a host that is none, or that cannot be mirrored."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host.endswith("."):
        raise ValueError(f'remove the dot at the end of the host: "{url.replace(host, host.rstrip("."))}"')
    if host in _DOCKER_HUB_NAMES:
        if parts.port:
            raise ValueError(f"Docker Hub has no port {parts.port}: write {DOCKER_HUB}")
        return DOCKER_HUB
    if host in _NO_REGISTRY:
        raise ValueError(f"{host} is not a registry: write {_NO_REGISTRY[host]}")
    if host in _TOKEN_SERVICES:
        raise ValueError(realm_problem(url, f"{_TOKEN_SERVICES[host]}/token") + f": write {_TOKEN_SERVICES[host]}")
    return url


def realm_problem(url: str, realm: str) -> str:
    """Why the registry does not log in to an upstream with this token service; empty if it does."""
    if is_realm_allowed(url, realm):
        return ""
    host, service = urlsplit(url).hostname, urlsplit(realm).netloc or realm
    return f"the token service of {host} is {service}, on another domain, which the registry refuses"
