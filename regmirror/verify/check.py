"""A check as data, and the four ways in which it can end."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from regmirror.config.model import Upstream
from regmirror.verify.live_mirror import LiveMirror


class Category(Enum):
    """The headings under which checks stand, in the order in which they are shown."""

    CLUSTER = "cluster"
    CONFIG = "config"
    TLS = "tls"
    TOKEN = "token"  # noqa: S105 - a heading, not a token
    REGISTRY = "registry"
    CACHE = "cache"
    STORAGE = "storage"
    UPSTREAM = "upstream"
    CLIENTS = "clients"


class Severity(Enum):
    """What it means that a good state is not there."""

    ERROR = "error"
    WARNING = "warning"
    """Clients are served all the same."""


class Stage(Enum):
    """When a check can be asked."""

    DEPLOYED = "deployed"
    BEFORE = "before"
    """Before the first deploy alone."""
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Passed:
    """The good state is proven; ``detail`` is what was seen."""

    detail: str = ""


@dataclass(frozen=True, slots=True)
class Warned:
    """It works, and someone should look at it."""

    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """It does not work; ``hint`` is the cure."""

    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """It was not tried, and why."""

    reason: str


Outcome = Passed | Warned | Failed | Skipped


@dataclass(frozen=True, slots=True)
class BoundCheck:
    """A check of one mirror, ready to run; ``upstream`` is empty where it is about the whole mirror."""

    check: "Check"
    upstream: str
    run: Callable[[], Outcome]


@dataclass(frozen=True, slots=True)
class Check:
    """One claim about a mirror.

    ``id`` is stable and has a heading in docs/checks.md; ``title`` states the good state; ``needs`` are ids of checks
    without whose success this one would only repeat their failure. ``run`` may raise RegmirrorError, which fails it;
    a failure of severity WARNING is told as a warning. ``limit`` is in seconds: what takes longer has failed.
    """

    id: str
    title: str
    category: Category
    run: Callable[[LiveMirror], Outcome]
    needs: tuple[str, ...] = ()
    severity: Severity = Severity.ERROR
    limit: float = 10.0
    stage: Stage = Stage.DEPLOYED

    def bind(self, live: LiveMirror) -> list[BoundCheck]:
        """The check as it applies to a mirror."""
        return [BoundCheck(self, "", lambda: self.run(live))]


@dataclass(frozen=True, slots=True)
class UpstreamCheck(Check):
    """A claim about the mirror of each upstream."""

    run: Callable[[LiveMirror, Upstream], Outcome]  # type: ignore[assignment] # bind gives it its second argument

    def bind(self, live: LiveMirror) -> list[BoundCheck]:
        """The check once for each upstream."""
        return [self._bind_one(live, upstream) for upstream in live.mirror.upstreams]

    def _bind_one(self, live: LiveMirror, upstream: Upstream) -> BoundCheck:
        return BoundCheck(self, upstream.name, lambda: self.run(live, upstream))


@dataclass(frozen=True, slots=True)
class Result:
    """How a check ended."""

    check: Check
    upstream: str
    outcome: Outcome
    seconds: float = 0.0
    """How long it took, without waiting for others."""
