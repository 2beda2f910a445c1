"""A deployment that ends after every single change it makes, in every way: the next one goes on, and arrives."""

import os
import signal
from collections.abc import Callable, Sequence

import pytest

from tests.e2e.api_proxy import api_gate
from tests.e2e.deployed_mirror import Deployment
from tests.e2e.kill_points import Mortal

pytestmark = pytest.mark.lab

LONG = bool(os.environ.get("REGMIRROR_LONG"))
EVERY = 1 if LONG else 7
"""Of the boundaries between two changes, each so-manieth is struck at."""
MOST_RUNS = 80
WAYS: dict[str, tuple[Sequence[signal.Signals | None], set[int]]] = {
    "killed": ([signal.SIGKILL], {-signal.SIGKILL}),
    "stopped": ([signal.SIGTERM, signal.SIGINT], {130}),
    # After the last change it needs the API server no more, and may end well.
    "cut off from the API server": ([None], {0, 1, 3, 124}),
}
"""How a deployment ends, and the exit codes with which it may."""


def deploy_and_die(mirror: Deployment, way: str) -> Mortal:
    """Deploy again and again until one deployment comes to its end; whichever says so has arrived."""
    signals, codes = WAYS[way]
    with api_gate(mirror, has_stages=False) as (gate, through):
        mortal = Mortal(mirror, gate, ["deploy", *through, "--unlock", "--timeout", "30s"], signals, EVERY)
        for _ in range(MOST_RUNS):
            before = len(mortal.struck)
            code = mortal.run()
            unharmed = len(mortal.struck) == before
            assert code in ({0} if unharmed else codes), mortal.said()
            if code == 0:
                assert_arrived(mirror)
            if unharmed:
                return mortal
    raise AssertionError(f"it never ends: {mortal.struck}")


def assert_arrived(mirror: Deployment) -> None:
    """Everything is as the file says, every release ended well, and it serves."""
    assert mirror.regmirror("diff").code == 0
    assert mirror.deploy("-o", "json").document["changed"] is False
    assert mirror.failures() == {}


@pytest.mark.parametrize("way", WAYS)
def test_a_first_deployment(
    new_deployment: Callable[[], Deployment], way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror = new_deployment()
    mortal = deploy_and_die(mirror, way)
    with capsys.disabled():
        print(f"\n{way} at {len(mortal.struck)} of {len(mortal.known)} places: {mortal.struck}")  # noqa: T201
    assert len(mortal.struck) >= (20 if LONG else 3)
    mirror.remove()


@pytest.mark.skipif(not LONG, reason="the first deployment shows most of it")
@pytest.mark.parametrize("way", WAYS)
def test_a_deployment_that_changes_everything(new_deployment: Callable[[], Deployment], way: str) -> None:
    mirror = new_deployment()
    assert mirror.deploy().code == 0
    limits = {"resources": {"limits": {"memory": "300Mi"}}}
    mirror.change_file(redis=limits, auth=limits, registry=limits | {"ttl": "36h"}, ingress={"annotations": {"a": "b"}})
    mortal = deploy_and_die(mirror, way)
    assert len(mortal.struck) >= 10
    mirror.remove()
