"""Deployments that end after each of their changes, in every way: the next one continues, and completes."""

import signal
from collections.abc import Callable, Sequence

import pytest

from tests.e2e.api_proxy import api_proxy
from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.kill_points import KillableCommand
from tests.e2e.long_runs import LONG, only_in_long_runs

pytestmark = pytest.mark.lab

EVERY = 1 if LONG else 7
"""Only every ``EVERY``-th boundary between two changes is used."""
MOST_RUNS = 80
TIMEOUT = 124
WAYS: dict[str, tuple[Sequence[signal.Signals | None], set[int]]] = {
    "killed": ([signal.SIGKILL], {-signal.SIGKILL}),
    "stopped": ([signal.SIGTERM, signal.SIGINT], {130}),
    # After the last change, it does not need the API server and may succeed.
    "cut off from the API server": ([None], {0, 1, 3, 124}),
}
"""The ways in which a deployment ends, with the exit codes that are allowed."""
if not LONG:
    WAYS = {
        "in every way": (
            [way for signals, _ in WAYS.values() for way in signals],
            {code for _, codes in WAYS.values() for code in codes},
        )
    }


def deploy_until_complete(mirror: DeployedMirror, way: str) -> KillableCommand:
    """Deploy again and again until one deployment is not killed; each that succeeds must be complete."""
    signals, codes = WAYS[way]
    with api_proxy(mirror, has_stages=False) as (proxy, through):
        killable = KillableCommand(mirror, proxy, ["deploy", *through, "--unlock", "--timeout", "30s"], signals, EVERY)
        for _ in range(MOST_RUNS):
            before = len(killable.killed_at)
            code = killable.run()
            undisturbed = len(killable.killed_at) == before
            if undisturbed and code == TIMEOUT:
                continue  # on a loaded machine
            assert code in ({0} if undisturbed else killable.allowed(codes)), killable.output()
            if code == 0:
                assert_complete(mirror)
            if undisturbed:
                return killable
    raise AssertionError(f"no run completes: {killable.killed_at}")


def assert_complete(mirror: DeployedMirror) -> None:
    """The cluster matches the file, every release is deployed, and the mirror serves."""
    assert mirror.regmirror("diff").code == 0
    assert mirror.deploy("-o", "json").document["changed"] is False
    mirror.await_healthy()


@pytest.mark.parametrize("way", WAYS)
def test_a_first_deployment(
    new_mirror: Callable[[], DeployedMirror], way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror = new_mirror()
    killable = deploy_until_complete(mirror, way)
    with capsys.disabled():
        print(f"\n{way} at {len(killable.killed_at)} of {len(killable.known)} boundaries: {killable.killed_at}")  # noqa: T201
    assert len(killable.killed_at) >= (20 if LONG else 3)
    mirror.remove()


@only_in_long_runs
@pytest.mark.parametrize("way", WAYS)
def test_a_deployment_that_changes_everything(new_mirror: Callable[[], DeployedMirror], way: str) -> None:
    mirror = new_mirror()
    assert mirror.deploy().code == 0
    limits = {"resources": {"limits": {"memory": "300Mi"}}}
    mirror.change_file(redis=limits, auth=limits, registry=limits | {"ttl": "36h"}, ingress={"annotations": {"a": "b"}})
    killable = deploy_until_complete(mirror, way)
    assert len(killable.killed_at) >= 10
    mirror.remove()
