"""Status of a mirror that runs: every line of it, without a gap, within seconds; and a component that is down."""

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.deployed_mirror import Deployment

pytestmark = pytest.mark.lab

SECONDS = 6.0
"""Twice what it may take: the machine of a test run does other things, too."""
UPSTREAM_FIELDS = ("publicEndpoint", "publicCertificate", "cache", "store", "pullLimit")


def report(mirror: Deployment) -> Any:
    outcome = mirror.regmirror("status", "-o", "json", *mirror.setting.resolve(mirror.host))
    assert outcome.code == 0, outcome.output + outcome.words
    return outcome.document


@pytest.fixture
def limits(mirror: Deployment) -> Iterator[Callable[[int], None]]:
    """Sets the pulls that the Docker Hub stand-in grants an account; afterwards there is no limit."""
    if mirror.setting.lab is None:
        pytest.skip("the limits of Docker Hub are ours to set in the lab only")
    control = mirror.setting.lab["hub"]["control"]

    def put(account: int) -> None:
        body = json.dumps({"anonymous": account, "account": account}).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{control}/limits", body, method="PUT"), timeout=10):
            pass

    yield put
    put(0)


def test_a_running_mirror_has_no_unknown(mirror: Deployment) -> None:
    assert mirror.verify().code == 0
    began = time.monotonic()
    found = report(mirror)
    assert time.monotonic() - began < SECONDS
    assert "unknown" not in json.dumps(found)
    assert found["serving"] is True
    assert {component["ready"] for component in found["components"]} == {1}
    (upstream,) = found["upstreams"]
    assert all(upstream[field] for field in UPSTREAM_FIELDS)
    # A registry that was restarted since the first pull has everything in its bucket: hits alone.
    assert upstream["cache"]["hits"] + upstream["cache"]["misses"] >= 1
    assert upstream["cache"]["bytesServed"] > 0
    assert upstream["store"]["objects"] > 0
    assert upstream["store"]["complete"] is True


def test_a_second_pull_is_counted_as_saved(mirror: Deployment) -> None:
    assert mirror.verify().code == 0
    (before,) = report(mirror)["upstreams"]
    assert mirror.verify().code == 0
    (after,) = report(mirror)["upstreams"]
    assert after["cache"]["hits"] > before["cache"]["hits"]
    assert after["cache"]["bytesSaved"] > before["cache"]["bytesSaved"]
    assert after["cache"]["bytesFetched"] == before["cache"]["bytesFetched"]


def test_asking_takes_no_pull(mirror: Deployment, limits: Callable[[int], None]) -> None:
    limits(1000)
    first, second = (report(mirror)["upstreams"][0]["pullLimit"] for _ in range(2))
    assert first == second
    assert (first["counted"], first["limit"], first["windowSeconds"]) == ("account", 1000, 21600)


def test_a_component_that_is_down_is_named(mirror: Deployment) -> None:
    mirror.kubectl("scale", "deployment/regmirror-redis", "--replicas=0")
    pods = ["pod", "-l", "app.kubernetes.io/instance=regmirror-redis"]
    mirror.kubectl("wait", "--for=delete", *pods, "--timeout=90s")
    try:
        outcome = mirror.regmirror("status", *mirror.setting.resolve(mirror.host))
    finally:
        assert mirror.deploy().code == 0
    assert outcome.code == 1
    assert "regmirror-redis: 0/0 ready" in outcome.output.splitlines()[0]
