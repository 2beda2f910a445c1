"""An outage as data, and its measurement."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.inject import Undo
from tests.e2e.pulls import CACHED, TOKEN, Figures
from tests.e2e.s3_proxy import S3Proxy
from tests.e2e.waiting import await_value


@dataclass(frozen=True)
class OutageEnvironment:
    """What an outage can break: the mirror, and its own proxy to the object store."""

    mirror: DeployedMirror
    s3: S3Proxy


@dataclass(frozen=True)
class Outage:
    """An outage while clients pull.

    ``begin`` returns when the outage has begun, with a function that ends it. The kinds of request in ``served`` must
    still be served, each within ``within`` seconds (median). All checks in ``reported_by`` must fail. Everything must
    be served again ``recovers_within`` seconds after the end. ``quick`` outages are tested in every run; ``replicas``
    is the number of pods of the registry and of docker_auth.
    """

    name: str
    begin: Callable[[OutageEnvironment], Undo]
    reported_by: frozenset[str]
    served: frozenset[str] = CACHED | {TOKEN}
    within: float = 1.0
    recovers_within: float = 5.0
    quick: bool = False
    replicas: int = 1


@dataclass(frozen=True)
class Measured:
    """The measurement of an outage; ``lost`` is the number of downloads from the upstream afterwards."""

    outage: Outage
    figures: dict[str, Figures]
    failed_checks: list[str]
    verify_seconds: float
    recovery_seconds: float
    lost: int

    def document(self) -> dict[str, Any]:
        """The measurement as a JSON object."""
        return {
            "outage": self.outage.name,
            "requests": {kind: figures.document() for kind, figures in self.figures.items()},
            "failedChecks": self.failed_checks,
            "verifySeconds": round(self.verify_seconds, 1),
            "recoverySeconds": round(self.recovery_seconds, 1),
            "lost": self.lost,
        }


def failed_checks(mirror: DeployedMirror) -> list[str]:
    """The IDs of the checks that one verify reports as failed, errors first."""
    found = mirror.verify().document["checks"]
    return [check["id"] for result in ("error", "warning") for check in found if check["result"] == result]


@contextmanager
def outage_environment(mirror: DeployedMirror, sections: Mapping[str, Any]) -> Iterator[OutageEnvironment]:
    """A mirror with these sections in its file, which reaches its object store through its own proxy."""
    if mirror.target.lab is None:
        pytest.skip("outages are only created in the lab")
    lab = mirror.target.lab
    with S3Proxy(lab["address"], lab["s3"]["endpoint"]).serving() as proxy:
        mirror.environment["S3_ENDPOINT"] = f"http://{lab['hosts']['s3']}:{proxy.port}"
        assert mirror.init().code == 0
        mirror.change_file(**sections)
        outcome = mirror.deploy()
        assert outcome.code == 0, outcome.stderr
        await_value(lambda: failed_checks(mirror), lambda failed: failed == [])
        yield OutageEnvironment(mirror, proxy)
        mirror.remove()
