"""The registries that a mirror mirrors, by their names in image references."""

from collections.abc import Mapping
from dataclasses import dataclass

from regmirror.config.images import DOCKER_IO
from regmirror.config.model import DOCKER_HUB, Mirror
from regmirror.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class MirroredRegistry:
    """A registry and its mirror."""

    name: str
    """The first part of image references: docker.io, quay.io."""
    server: str
    """URL of the registry itself."""
    host: str
    """Host of the mirror, with the port unless it is 443."""

    @property
    def mirror(self) -> str:
        """URL of the mirror."""
        return f"https://{self.host}"


def mirrored_registries(mirror: Mirror, renamed: Mapping[str, str]) -> list[MirroredRegistry]:
    """One for each upstream; ``renamed`` has the registry's name, by upstream, where it differs from the URL's host.

    Raises ConfigurationError if an upstream is unknown, or if two upstreams have the same registry.
    """
    known = {upstream.name for upstream in mirror.upstreams}
    unknown = sorted(renamed.keys() - known)
    if unknown:
        raise ConfigurationError(
            f"--registry: no upstream is named {unknown[0]}", hint=f"use one of: {', '.join(sorted(known))}"
        )
    registries = [
        MirroredRegistry(
            name, _server(name) if upstream.name in renamed else upstream.url, mirror.endpoint_of(upstream)
        )
        for upstream in mirror.upstreams
        for name in [renamed.get(upstream.name) or upstream.registry_name]
    ]
    for registry in registries:
        if [other.name for other in registries].count(registry.name) > 1:
            raise ConfigurationError(
                f"two upstreams mirror {registry.name}, but a client can use only one mirror of a registry",
                hint="name the registry of one of them with --registry UPSTREAM=NAME",
            )
    return registries


def _server(name: str) -> str:
    return DOCKER_HUB if name == DOCKER_IO else f"https://{name}"
