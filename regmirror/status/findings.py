"""The parts of a status; each value that could not be determined is an Unavailable with the reason."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from regmirror.config.fields import image_parts
from regmirror.distribution.metrics import CacheFigures
from regmirror.distribution.pull_limit import PullLimit
from regmirror.ports.object_store import Contents
from regmirror.status.background import Unavailable
from regmirror.verify.live_mirror import NotDeployedError

_REGISTRY_STATUSES = {200, 401}


class State(StrEnum):
    """The state of a mirror as a whole. The values appear in documents."""

    SERVING = "serving"
    """All components have a ready pod, and every public host answers as a registry."""
    RUNNING = "running"
    """All components have a ready pod, but a public host could not be checked."""
    FAILING = "failing"
    """A component has no ready pod, or a public host does not answer as a registry."""
    UNKNOWN = "unknown"
    """The cluster could not be read."""
    NOT_DEPLOYED = "not-deployed"
    """The namespace has none of the components."""


@dataclass(frozen=True, slots=True)
class Component:
    """One Deployment of the mirror: ``ready`` of ``wanted`` pods are ready, and ``image`` is what they run.

    ``image`` is empty if no ready pod was seen. ``problem`` says why a pod does not become ready, if one does not.
    """

    name: str
    image: str
    ready: int
    wanted: int
    problem: str = ""

    @property
    def version(self) -> str:
        """The tag of the image, or the start of its digest, or the image itself if it has neither."""
        try:
            parts = image_parts(self.image)
        except ValueError:
            return self.image
        return parts["tag"] or parts["digest"][:19]


@dataclass(frozen=True, slots=True)
class PublicEndpoint:
    """The answer of the public host to ``/v2/``."""

    url: str
    status: int
    reached_at: str = ""
    """The address and port that --resolve made the request use; empty if it took the way of clients."""

    @property
    def serves(self) -> bool:
        """Whether the answer is that of a registry: it asks for a token, or needs none."""
        return self.status in _REGISTRY_STATUSES


@dataclass(frozen=True, slots=True)
class Cache:
    """What the ``responding`` of ``running`` registry pods did since ``since``, when the oldest of them started."""

    figures: CacheFigures
    since: datetime | None
    responding: int
    running: int


@dataclass(frozen=True, slots=True)
class PullQuota:
    """The pull limit of the upstream; ``limit`` is None if it reports none."""

    limit: PullLimit | None
    has_account: bool
    """Whether pulls count for the mirror's account; otherwise they count for the address of this machine."""


@dataclass(frozen=True, slots=True)
class UpstreamStatus:
    """The state of the mirror of one upstream."""

    name: str
    url: str
    host: str
    public_endpoint: PublicEndpoint | Unavailable
    certificate_ends: datetime | Unavailable
    cache: Cache | Unavailable
    store: Contents | Unavailable
    pull_quota: PullQuota | Unavailable


@dataclass(frozen=True, slots=True)
class Status:
    """The state of a mirror at ``now`` (UTC)."""

    host: str
    namespace: str
    context: str
    now: datetime
    components: dict[str, Component | Unavailable]
    signing_ends: datetime | Unavailable
    upstreams: list[UpstreamStatus]

    @property
    def state(self) -> State:
        """The state as a whole; it claims only what was seen."""
        components = self.components.values()
        if all(_is_missing(component) for component in components):
            return State.NOT_DEPLOYED
        if self.faults:
            return State.FAILING
        if any(isinstance(component, Unavailable) for component in components):
            return State.UNKNOWN
        return State.SERVING if not self.unchecked_hosts else State.RUNNING

    @property
    def faults(self) -> list[str]:
        """Why the mirror does not serve: a component without a ready pod, or a host that is not a registry.

        A host that cannot be reached from here is not a fault: its name may not resolve yet.
        """
        missing = [f"{name}: missing" for name, component in self.components.items() if _is_missing(component)]
        components = [component for component in self.components.values() if isinstance(component, Component)]
        down = [
            f"{component.name}: {component.ready}/{component.wanted} ready"
            if component.wanted
            else f"{component.name}: scaled to 0"
            for component in components
            if not component.ready
        ]
        wrong = [
            f"{upstream.public_endpoint.url} answered {upstream.public_endpoint.status}"
            for upstream in self.upstreams
            if isinstance(upstream.public_endpoint, PublicEndpoint) and not upstream.public_endpoint.serves
        ]
        return missing + down + wrong

    @property
    def unchecked_hosts(self) -> list[str]:
        """The public hosts that could not be checked from here."""
        return [upstream.host for upstream in self.upstreams if isinstance(upstream.public_endpoint, Unavailable)]

    @property
    def warnings(self) -> list[str]:
        """What needs attention although the mirror may serve."""
        components = [component for component in self.components.values() if isinstance(component, Component)]
        problems = [f"{component.name}: {component.problem}" for component in components if component.problem]
        return [*problems, *(f"the public host {host} was not checked" for host in self.unchecked_hosts)]


def _is_missing(component: Component | Unavailable) -> bool:
    return isinstance(component, Unavailable) and component.code == NotDeployedError.code
