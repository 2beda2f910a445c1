"""A deployment that ends at any of its calls, in any way: the next one reaches the state of an undisturbed one."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from itertools import count
from typing import Any

import pytest

from regmirror.deploy import public_check
from regmirror.deploy import release as release_step
from regmirror.deploy.run import deploy_mirror
from regmirror.desired import names
from regmirror.errors import (
    ClusterUnreachableError,
    ExitCode,
    HelmError,
    InterruptedRunError,
    RegistryError,
    RegmirrorError,
    StorageUnreachableError,
)
from regmirror.ports.cluster import DEPLOYMENT, NAMESPACE, SECRET, Kind
from tests.fakes.helm import FakeHelm
from tests.unit.deploying import EVERYTHING, Place

SERVICE = Kind("v1", "Service")
EVERY = 1 if os.environ.get("REGMIRROR_LONG") else 4
"""Every so many calls a deployment ends; which of them come first is different for each way to end."""


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release_step, "_POLL", 0)
    monkeypatch.setattr(release_step, "_STALE_LOCK", 0.05)
    monkeypatch.setattr(public_check, "_POLL", 0)


class KilledError(BaseException):
    """The process has been killed: nothing of it runs any more."""


@dataclass
class Fault:
    """What happens to a process from one of its calls on, counted over all connections."""

    at: int
    happens: Callable[[Fault, str], None]
    """Called with the connection of each later call; raises, or does something else."""
    calls: Iterator[int] = field(default_factory=count)
    hits: int = 0
    """How often it happened."""
    interrupt: Callable[[], object] = print
    """What Ctrl-C does to the process."""

    def call(self, edge: str) -> None:
        if next(self.calls) >= self.at:
            self.hits += 1
            self.happens(self, edge)


@dataclass
class Faulty:
    """A connection of a process to which the fault happens."""

    kind: str
    edge: Any
    fault: Fault

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.edge, name)
        if not callable(found):
            return found

        def call(*words: Any, **options: Any) -> Any:
            self.fault.call(self.kind)
            return found(*words, **options)

        async def call_later(*words: Any, **options: Any) -> Any:
            return await call(*words, **options)

        return call_later if inspect.iscoroutinefunction(found) else call


def deploy_with(place: Place, fault: Fault, seconds: float = 10) -> RegmirrorError | None:
    """Deploy until the fault happens; returns the error, None if the process was killed or succeeded."""
    cluster = Faulty("cluster", place.cluster, fault)
    connections = replace(
        place.connections,
        blocking=cluster,
        # Helm is a process of its own, and may be hit in the middle of its work.
        helm=Faulty("helm", FakeHelm(Faulty("helm", place.cluster, fault)), fault),  # type: ignore[arg-type]
        store=Faulty("store", place.store, fault),
        http=Faulty("http", place.connections.http, fault),
    )

    async def process() -> None:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        fault.interrupt = lambda: loop.call_soon_threadsafe(task.cancel)
        await deploy_mirror(connections, place.progress, timedelta(seconds=seconds))

    try:
        asyncio.run(process())
    except RegmirrorError as error:
        return error
    except BaseException:
        if not fault.hits:
            raise
    return None


def state(place: Place) -> dict[str, Any]:
    """Everything in the cluster that matters, with the versions that are in use under one name.

    A pod that carries another version than its Secrets have would show it.
    """
    cluster = place.cluster
    secrets = [found for found in cluster.select(SECRET) if found["metadata"].get("annotations")]
    versions = {found["metadata"]["annotations"].get(names.VERSION_ANNOTATION) for found in secrets}
    found = [*secrets, *cluster.select(DEPLOYMENT), *cluster.select(SERVICE), *cluster.select(NAMESPACE)]
    text = json.dumps({f"{one['kind']} {one['metadata']['name']}": bare(one) for one in found}, sort_keys=True)
    for version in versions - {None}:
        text = text.replace(str(version), "<version>")
    releases = {name: asyncio.run(place.helm.find(name)) for name in EVERYTHING}
    return {"objects": json.loads(text), "releases": {name: one and one.status for name, one in releases.items()}}


def bare(found: dict[str, Any]) -> dict[str, Any]:
    """An object without what differs from one mirror to the next: its key, its passwords, what the cluster counts."""
    metadata = {key: value for key, value in found["metadata"].items() if key in {"labels", "annotations"}}
    metadata.get("annotations", {}).pop(names.FINGERPRINT_ANNOTATION, None)
    metadata.get("annotations", {}).pop(names.NOT_AFTER_ANNOTATION, None)
    return {"metadata": metadata, "spec": found.get("spec"), "keys": sorted(found.get("data") or {})}


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, Any]:
    place = Place()
    place.deploy()
    return state(place)


def every_end(
    happens: Callable[[Fault, str], None], first: int, last: int = 0, **options: Any
) -> Iterator[tuple[Place, RegmirrorError | None]]:
    """Each mirror whose first deployment was hit, with its error; the ``last`` calls are left out."""
    for at in range(first, number_of_calls() - last, EVERY):
        place = Place()
        yield place, deploy_with(place, Fault(at, happens), **options)


@cache
def number_of_calls() -> int:
    """How many calls an undisturbed deployment makes."""
    fault = Fault(sys.maxsize, die)
    assert deploy_with(Place(), fault) is None
    return next(fault.calls)


def assert_converges(place: Place, undisturbed: dict[str, Any]) -> None:
    place.deploy()
    assert state(place) == undisturbed
    assert not place.deploy().changed


def die(_: Fault, edge: str) -> None:
    raise KilledError(edge)


def lose(_: Fault, edge: str) -> None:
    raise {
        "cluster": ClusterUnreachableError("no answer from the Kubernetes API"),
        "helm": HelmError("Kubernetes cluster unreachable"),
        "store": StorageUnreachableError("no answer from S3"),
        "http": RegistryError("no answer from the host"),
    }[edge]


def lose_one(fault: Fault, edge: str) -> None:
    if fault.hits == 1:
        lose(fault, edge)


def interrupt(fault: Fault, _: str) -> None:
    if fault.hits == 1:
        fault.interrupt()


def test_killed(undisturbed: dict[str, Any]) -> None:
    assert number_of_calls() > 100
    for place, _ in every_end(die, 0):
        assert_converges(place, undisturbed)


def test_the_network_is_gone(undisturbed: dict[str, Any]) -> None:
    codes = set()
    # The last two calls release the Lease, which would otherwise expire.
    for place, error in every_end(lose, 1, last=2, seconds=1):
        assert error is not None
        codes.add(error.exit_code)
        assert_converges(place, undisturbed)
    assert codes == {ExitCode.FAILED, ExitCode.PARTIAL, ExitCode.TIMED_OUT}


def test_the_network_hiccups(undisturbed: dict[str, Any]) -> None:
    """One call alone fails: what does not end the deployment is made good by itself."""
    for place, _ in every_end(lose_one, 2):
        assert_converges(place, undisturbed)


def test_interrupted(undisturbed: dict[str, Any]) -> None:
    messages = []
    for place, error in every_end(interrupt, 3):
        if error is not None:
            assert isinstance(error, InterruptedRunError)
            messages.append(error.message)
        assert_converges(place, undisturbed)
    assert any("in progress: regmirror-" in message for message in messages)
