"""A check as data, the decorator that declares it, and its four possible outcomes."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from regmirror.config.model import Part, Upstream
from regmirror.verify.live_mirror import LiveMirror


class Category(Enum):
    """The groups of checks, in the order in which they are shown."""

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
    """How a check is reported that does not pass."""

    ERROR = "error"
    WARNING = "warning"
    """Clients are served all the same."""


class Stage(Enum):
    """When a check can run."""

    DEPLOYED = "deployed"
    PRE_INSTALL = "pre-install"
    """Only before the first deployment."""
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Passed:
    """The good state was observed; ``detail`` says what was seen."""

    detail: str = ""


@dataclass(frozen=True, slots=True)
class Warned:
    """The mirror works, but something needs attention."""

    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """Something does not work; ``hint`` says how to fix it."""

    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """The check did not run, or could not decide; ``reason`` says why."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotApplicable(Skipped):
    """The check is about a part that regmirror does not run here; checks that need it run all the same."""


Outcome = Passed | Warned | Failed | Skipped
Function = TypeVar("Function", bound=Callable[..., Outcome])


@dataclass(frozen=True, slots=True)
class BoundCheck:
    """A check of one mirror, ready to run; ``upstream`` is empty if it applies to the whole mirror."""

    check: "Check"
    upstream: str
    run: Callable[[], Outcome]


@dataclass(frozen=True, slots=True)
class Check:
    """One claim about a mirror.

    ``id`` is stable and has a section in docs/reference/checks; ``title`` states the good state. ``needs`` are ids of
    checks without which this one would only repeat their failure; ``after`` likewise, except that they may be skipped.
    ``run`` may raise RegmirrorError, which is a failure;
    a failure of severity WARNING is reported as a warning. ``limit`` is in seconds; a check that takes longer fails.
    """

    id: str
    title: str
    category: Category
    run: Callable[[LiveMirror], Outcome]
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    severity: Severity = Severity.ERROR
    limit: float = 10.0
    stage: Stage = Stage.DEPLOYED
    part: Part | None = None
    """The part of the mirror that it is about, if regmirror may not be the one that runs it."""

    def for_mirror(self, live: LiveMirror) -> list[BoundCheck]:
        """The check as it applies to one mirror."""
        return [BoundCheck(self, "", lambda: self._not_applicable(live) or self.run(live))]

    def _not_applicable(self, live: LiveMirror) -> NotApplicable | None:
        if self.part and live.mirror.is_external(self.part):
            return NotApplicable(f"{self.part}.external is set, so regmirror does not run this part")
        return None


@dataclass(frozen=True, slots=True)
class UpstreamCheck(Check):
    """A claim about the mirror of each upstream."""

    run: Callable[[LiveMirror, Upstream], Outcome]  # type: ignore[assignment] # for_mirror passes the second argument

    def for_mirror(self, live: LiveMirror) -> list[BoundCheck]:
        """The check once for each upstream."""
        return [self._for_upstream(live, upstream) for upstream in live.mirror.upstreams]

    def _for_upstream(self, live: LiveMirror, upstream: Upstream) -> BoundCheck:
        return BoundCheck(self, upstream.name, lambda: self._not_applicable(live) or self.run(live, upstream))


class CheckList:
    """The checks of one category, in the order of their functions; calling it gives the decorator that adds one."""

    def __init__(self, category: Category) -> None:
        self.category = category
        self.checks: list[Check] = []

    def __call__(self, check_id: str, title: str, **options: Any) -> Callable[[Function], Function]:
        """Declare the function below as a check; ``options`` are further fields of Check.

        A function of a LiveMirror and an Upstream runs once for each upstream, one of a LiveMirror once.
        """

        def declare(run: Function) -> Function:
            kind = UpstreamCheck if len(inspect.signature(run).parameters) == 2 else Check
            self.checks.append(kind(check_id, title, self.category, run, **options))
            return run

        return declare


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one check."""

    check: Check
    upstream: str
    outcome: Outcome
    seconds: float = 0.0
    """How long it ran, without waiting for other checks."""
