"""Two deployments with different files at once: whoever reports success has its file in the cluster at its end.

The second one starts and ends in the middle of the first, as if the first process slept for longer than its Lease
lasts.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from regmirror.config.model import Mirror
from regmirror.deploy import public_check
from regmirror.deploy import release as release_step
from regmirror.deploy.diff import diff_mirror
from regmirror.deploy.run import deploy_mirror
from regmirror.errors import ConflictError, ExitCode, PartlyAppliedError, PermissionDeniedError, RegmirrorError
from regmirror.ports.cluster import DEPLOYMENT, SECRET, Kind, Object
from tests.fakes.helm import FakeHelm
from tests.fakes.time import FakeTime
from tests.unit.deploying import Place, configured

FIRST = configured(registry={"ttl": "24h"}, auth={"keySize": 2048, "tokenLifetime": "4m"})
SECOND = configured(registry={"ttl": "48h"}, auth={"keySize": 2048, "issuer": "another"})
EVERY = 1 if os.environ.get("REGMIRROR_LONG") else 9


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release_step, "_POLL", 0)
    monkeypatch.setattr(release_step, "_STALE_LOCK", 0.05)
    monkeypatch.setattr(public_check, "_POLL", 0)


@pytest.fixture
def place() -> Place:
    return Place()


class Between:
    """A cluster in which something happens before one of the calls."""

    def __init__(self, place: Place, at: int, happens: Any) -> None:
        self.place, self.at, self.happens = place, at, happens
        self.calls = count()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.place.cluster, name)
        if not callable(found):
            return found

        def call(*words: Any, **options: Any) -> Any:
            if next(self.calls) == self.at:
                # Helm's calls are made from the event loop, which cannot run a second one.
                thread = threading.Thread(target=self.happens)
                thread.start()
                thread.join()
            return found(*words, **options)

        return call


def deploy(place: Place, mirror: Mirror, cluster: Any = None) -> RegmirrorError | None:
    """Deploy; returns the error, None for success."""
    connections = place.connected(mirror)
    if cluster is not None:
        connections = replace(connections, blocking=cluster, helm=FakeHelm(cluster))
    try:
        asyncio.run(
            deploy_mirror(connections, place.progress, timedelta(seconds=10), clock=FakeTime().clock()),
        )
    except RegmirrorError as error:
        return error
    return None


def is_deployed(place: Place, mirror: Mirror) -> bool:
    return not asyncio.run(diff_mirror(place.connected(mirror))).differs


def number_of_calls() -> int:
    """How many calls a deployment makes before it releases the Lease, which takes the last two."""
    place = Place()
    place.deploy()
    between = Between(place, -1, None)
    assert deploy(place, FIRST, between) is None
    return next(between.calls) - 2


def test_a_success_is_never_false() -> None:
    outcomes = set()
    for at in range(0, number_of_calls(), EVERY):
        place = Place()
        place.deploy()
        inner: list[RegmirrorError | None] = []
        error = deploy(place, FIRST, Between(place, at, lambda: inner.append(deploy(place, SECOND))))  # noqa: B023
        assert len(inner) == 1
        assert error is not None or is_deployed(place, FIRST)
        outcomes.add(type(error))
        # Whatever has happened, the next deployment makes it right.
        assert deploy(place, FIRST) is None
        assert is_deployed(place, FIRST)
    assert {type(None), ConflictError} <= outcomes


class ChangesFirst:
    """A public host at whose first use, at the end of a deployment, something else changes the cluster."""

    def __init__(self, place: Place, change: Callable[[], object]) -> None:
        self.http, self.changes = place.connections.http, [change]

    def __getattr__(self, name: str) -> Any:
        while self.changes:
            self.changes.pop()()
        return getattr(self.http, name)


def edit(place: Place, kind: Kind, name: str, change: Callable[[Object], object]) -> None:
    found = place.cluster.get(kind, name)
    assert found is not None
    change(found)
    place.cluster.put(found)


def test_every_object_that_something_else_changed_is_named(place: Place) -> None:
    def change() -> None:
        edit(place, SECRET, "regmirror-auth-config", lambda found: found["data"].update({"auth_config.yml": "e30="}))
        edit(place, DEPLOYMENT, "regmirror-auth", lambda found: found["spec"].update(replicas=5))
        place.cluster.delete(DEPLOYMENT, "regmirror-redis")

    with pytest.raises(ConflictError) as caught:
        place.deploy(http=ChangesFirst(place, change))
    names = "Secret regmirror-auth-config, Deployment regmirror-redis, Deployment regmirror-auth"
    assert caught.value.message.endswith(f": {names}")
    assert (caught.value.exit_code, caught.value.left_changes) == (ExitCode.PARTIAL, True)


def test_what_others_add_is_no_change(place: Place) -> None:
    def change() -> None:
        edit(place, DEPLOYMENT, "regmirror-auth", lambda found: found["metadata"]["labels"].update(team="blue"))

    assert place.deploy(http=ChangesFirst(place, change)).changed


def test_a_change_by_somebody_else_is_not_rolled_back(place: Place) -> None:
    place.deploy()
    place.environ["S3_SECRET"] = "another"
    changes = ChangesFirst(place, lambda: place.cluster.delete(SECRET, "regmirror-bundle"))
    with pytest.raises(ConflictError, match="Secret regmirror-bundle"):
        place.deploy(http=changes, rollback=True)


def test_a_result_that_cannot_be_read_is_no_success(place: Place) -> None:
    def lose() -> None:
        place.cluster.hidden = {DEPLOYMENT}

    with pytest.raises(PermissionDeniedError, match="every step succeeded, but the result cannot be read") as caught:
        place.deploy(http=ChangesFirst(place, lose))
    assert caught.value.exit_code is ExitCode.PARTIAL


def test_two_deployments_that_start_together_take_turns(place: Place) -> None:
    place.deploy()

    async def both() -> list[Any]:
        deployments = (
            deploy_mirror(place.connected(mirror), place.progress, timedelta(seconds=30)) for mirror in (FIRST, SECOND)
        )
        return await asyncio.gather(*deployments, return_exceptions=True)

    outcomes = asyncio.run(both())
    # One of them may be refused, if both find the Lease free: it says so, and has changed nothing.
    assert not [outcome for outcome in outcomes if isinstance(outcome, PartlyAppliedError)]
    succeeded = [
        mirror
        for mirror, outcome in zip((FIRST, SECOND), outcomes, strict=True)
        if not isinstance(outcome, BaseException)
    ]
    assert succeeded
    assert any(is_deployed(place, mirror) for mirror in succeeded)
