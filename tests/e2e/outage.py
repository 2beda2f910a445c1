"""An outage as data, and what was measured of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.e2e.deployed_mirror import Deployment
from tests.e2e.harm import Undo
from tests.e2e.pulls import CACHED, TOKEN, Figures
from tests.e2e.s3_proxy import S3Door


@dataclass(frozen=True)
class Scene:
    """What an outage may lay hands on: the mirror, and its own door to the store."""

    mirror: Deployment
    s3: S3Door


@dataclass(frozen=True)
class Outage:
    """What is broken while clients pull.

    ``begin`` returns once the outage is there, with what ends it. ``served`` are the kinds of request that must go on
    being served, each within ``within`` seconds by the median; ``told_by`` are the checks of which verify must name
    at least one. ``recovers_within`` counts the seconds from the end of the outage until everything is served.
    ``quick`` marks those that are tried in every run; ``replicas`` is how many pods the registry and docker_auth have.
    """

    name: str
    begin: Callable[[Scene], Undo]
    told_by: frozenset[str]
    served: frozenset[str] = CACHED | {TOKEN}
    within: float = 1.0
    recovers_within: float = 5.0
    quick: bool = False
    replicas: int = 1


@dataclass(frozen=True)
class Measured:
    """One outage as it was; ``lost`` counts what had to be fetched from the upstream again afterwards."""

    outage: Outage
    figures: dict[str, Figures]
    failed_checks: list[str]
    verify_seconds: float
    recovery_seconds: float
    lost: int

    def document(self) -> dict[str, Any]:
        """The measurement as it is recorded."""
        return {
            "outage": self.outage.name,
            "requests": {kind: figures.document() for kind, figures in self.figures.items()},
            "failedChecks": self.failed_checks,
            "verifySeconds": round(self.verify_seconds, 1),
            "recoverySeconds": round(self.recovery_seconds, 1),
            "lost": self.lost,
        }


def failed_checks(mirror: Deployment) -> list[str]:
    """The ids of what one verify finds wrong, errors first."""
    found = mirror.verify().document["checks"]
    return [check["id"] for result in ("error", "warning") for check in found if check["result"] == result]
