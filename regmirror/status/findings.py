"""What a status is made of; each thing that could not be found out is an Unavailable that says why."""

from dataclasses import dataclass
from datetime import datetime

from regmirror.config.fields import image_parts
from regmirror.distribution.metrics import CacheFigures
from regmirror.distribution.pull_limit import PullLimit
from regmirror.ports.object_store import Contents
from regmirror.status.background import Unavailable

_ANSWERS_OF_A_REGISTRY = {200, 401}


@dataclass(frozen=True, slots=True)
class Component:
    """One Deployment of the mirror; ``ready`` of ``wanted`` pods serve."""

    name: str
    image: str
    ready: int
    wanted: int

    @property
    def version(self) -> str:
        """The tag of the image, or the beginning of its digest, or the image as it is where it has neither."""
        try:
            parts = image_parts(self.image)
        except ValueError:
            return self.image
        return parts["tag"] or parts["digest"][:19]


@dataclass(frozen=True, slots=True)
class PublicEndpoint:
    """What the public host answers to ``/v2/``."""

    url: str
    status: int

    @property
    def serves(self) -> bool:
        """Whether that was a registry: it asks for a token, or needs none."""
        return self.status in _ANSWERS_OF_A_REGISTRY


@dataclass(frozen=True, slots=True)
class Cache:
    """What the registry's pods did since ``since``, when the oldest of those that could be asked began."""

    figures: CacheFigures
    since: datetime | None
    asked: int
    running: int


@dataclass(frozen=True, slots=True)
class Pulls:
    """What the upstream still grants; ``limit`` is None where it tells no limit."""

    limit: PullLimit | None
    has_account: bool
    """Whether it counts the mirror's account; else it counts the address that asked, this machine's."""


@dataclass(frozen=True, slots=True)
class UpstreamStatus:
    """How the mirror of one upstream is doing."""

    name: str
    url: str
    host: str
    public_endpoint: PublicEndpoint | Unavailable
    certificate_ends: datetime | Unavailable
    cache: Cache | Unavailable
    store: Contents | Unavailable
    pulls: Pulls | Unavailable


@dataclass(frozen=True, slots=True)
class Status:
    """How a mirror is doing at ``now`` (UTC)."""

    host: str
    namespace: str
    context: str
    now: datetime
    components: dict[str, Component | Unavailable]
    signing_ends: datetime | Unavailable
    upstreams: list[UpstreamStatus]

    @property
    def faults(self) -> list[str]:
        """Why it does not serve: a component without a ready pod or not to be seen, a host that no registry answers.

        A host that cannot be reached from here is none: its name may not be known yet.
        """
        down = [
            f"{name}: {found.why if isinstance(found, Unavailable) else f'{found.ready}/{found.wanted} ready'}"
            for name, found in self.components.items()
            if isinstance(found, Unavailable) or not found.ready
        ]
        wrong = [
            f"{one.public_endpoint.url} answered {one.public_endpoint.status}"
            for one in self.upstreams
            if isinstance(one.public_endpoint, PublicEndpoint) and not one.public_endpoint.serves
        ]
        return down + wrong
