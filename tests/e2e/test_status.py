"""Status of a running mirror: complete and fast; and with a component that is down."""

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.waiting import await_value, on_this_machine

pytestmark = pytest.mark.lab

STATUS_SECONDS = 6.0
"""Twice the time that a status may take on an idle machine."""
UPSTREAM_FIELDS = ("publicEndpoint", "publicCertificate", "cache", "store", "pullLimit")


def report(mirror: DeployedMirror) -> Any:
    outcome = mirror.regmirror("status", "-o", "json", *mirror.target.resolve(mirror.host))
    assert outcome.code == 0, outcome.stdout + outcome.stderr
    return outcome.document


@pytest.fixture
def limits(mirror: DeployedMirror) -> Iterator[Callable[[int], None]]:
    """Sets the pull limit of the Docker Hub stand-in; afterwards, there is no limit."""
    if mirror.target.lab is None:
        pytest.skip("the limits of Docker Hub can only be changed in the lab")
    control = mirror.target.lab["hub"]["control"]

    def put(account: int) -> None:
        body = json.dumps({"anonymous": account, "account": account}).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{control}/limits", body, method="PUT"), timeout=10):
            pass

    yield put
    put(0)


def test_a_running_mirror_has_no_unknown(mirror: DeployedMirror) -> None:
    assert mirror.verify().code == 0
    began = time.monotonic()
    report(mirror)
    assert time.monotonic() - began < on_this_machine(STATUS_SECONDS)
    # On a loaded machine, a lookup may time out.
    found = await_value(lambda: report(mirror), lambda status: "unknown" not in json.dumps(status))
    assert found["serving"] is True
    assert {component["ready"] for component in found["components"]} == {1}
    (upstream,) = found["upstreams"]
    assert all(upstream[field] for field in UPSTREAM_FIELDS)
    # A registry that was restarted since the first pull has only hits.
    assert upstream["cache"]["hits"] + upstream["cache"]["misses"] >= 1
    assert upstream["cache"]["bytesServed"] > 0
    assert upstream["store"]["objects"] > 0
    assert upstream["store"]["complete"] is True


def test_a_second_pull_is_counted_as_saved(mirror: DeployedMirror) -> None:
    assert mirror.verify().code == 0
    (before,) = report(mirror)["upstreams"]
    assert mirror.verify().code == 0
    (after,) = report(mirror)["upstreams"]
    assert after["cache"]["hits"] > before["cache"]["hits"]
    assert after["cache"]["bytesSaved"] > before["cache"]["bytesSaved"]
    assert after["cache"]["bytesFetched"] == before["cache"]["bytesFetched"]


def test_status_takes_no_pull(mirror: DeployedMirror, limits: Callable[[int], None]) -> None:
    limits(1000)
    first, second = (report(mirror)["upstreams"][0]["pullLimit"] for _ in range(2))
    assert first == second
    assert (first["counted"], first["limit"], first["windowSeconds"]) == ("account", 1000, 21600)


def test_a_component_that_is_down_is_named(mirror: DeployedMirror) -> None:
    mirror.kubectl("scale", "deployment/regmirror-redis", "--replicas=0")
    pods = ["pod", "-l", "app.kubernetes.io/instance=regmirror-redis"]
    mirror.kubectl("wait", "--for=delete", *pods, "--timeout=600s")
    try:
        outcome = mirror.regmirror("status", *mirror.target.resolve(mirror.host))
    finally:
        assert mirror.deploy().code == 0
    assert outcome.code == 1
    assert "regmirror-redis: scaled to 0" in outcome.stdout.splitlines()[0]
