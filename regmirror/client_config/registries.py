"""The registries that a mirror stands for, by the names that images give them."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from regmirror.config.model import DOCKER_HUB, Mirror, Upstream
from regmirror.errors import ConfigurationError

DOCKER_IO = "docker.io"
"""Docker Hub, in the names of images; its API is on another host."""


@dataclass(frozen=True, slots=True)
class MirroredRegistry:
    """A registry and its mirror."""

    name: str
    """As the names of images begin: docker.io, quay.io."""
    server: str
    """URL of the registry itself."""
    host: str
    """Host of the mirror."""

    @property
    def mirror(self) -> str:
        """URL of the mirror."""
        return f"https://{self.host}"


def mirrored_registries(mirror: Mirror, renamed: Mapping[str, str]) -> list[MirroredRegistry]:
    """One for each upstream; ``renamed`` has the registry by name of the upstream where its URL does not tell it.

    Raises ConfigurationError where an upstream is unknown, or two of them would stand for one registry.
    """
    known = {upstream.name for upstream in mirror.upstreams}
    unknown = sorted(renamed.keys() - known)
    if unknown:
        raise ConfigurationError(
            f"--registry: there is no upstream {unknown[0]}", hint=f"the file has: {', '.join(sorted(known))}"
        )
    found = [
        MirroredRegistry(name, _server(name) if upstream.name in renamed else upstream.url, mirror.host_of(upstream))
        for upstream in mirror.upstreams
        for name in [renamed.get(upstream.name) or registry_name(upstream)]
    ]
    for registry in found:
        if [other.name for other in found].count(registry.name) > 1:
            raise ConfigurationError(
                f"two upstreams stand for {registry.name}, and a client can ask one mirror of a registry only",
                hint="tell them apart by --registry UPSTREAM=NAME",
            )
    return found


def registry_name(upstream: Upstream) -> str:
    """The registry as the names of images begin, as far as its URL tells."""
    return DOCKER_IO if upstream.url == DOCKER_HUB else urlsplit(upstream.url).netloc


def _server(name: str) -> str:
    return DOCKER_HUB if name == DOCKER_IO else f"https://{name}"
