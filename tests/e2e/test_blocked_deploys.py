"""A blocked deployment reports what blocks it, why, and what to try; the next deployment completes."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from tests.e2e.deploy_blocker import DeployBlocker, quota
from tests.e2e.deploy_blockers import DEPLOY_BLOCKERS
from tests.e2e.deployed_mirror import DeployedMirror, Outcome
from tests.e2e.long_runs import LONG

pytestmark = pytest.mark.lab

BLOCKERS = [one for one in DEPLOY_BLOCKERS if LONG or one.quick]
CHANGE_NUMBERS = count(200)
ROLLING = ["-l", "app.kubernetes.io/instance!=regmirror-redis"]
"""All pods except that of Redis, which stops before its successor starts."""


@pytest.fixture(scope="module")
def served(new_mirror: Callable[[], DeployedMirror]) -> Iterator[DeployedMirror]:
    """A deployed mirror; each test restores it."""
    mirror = new_mirror()
    assert mirror.deploy().code == 0
    yield mirror
    mirror.await_healthy()


def blocked_deploy(mirror: DeployedMirror, blocker: DeployBlocker, timeout: int, *options: str) -> Outcome:
    """A deployment of a changed file with a blocker; afterwards the blocker is removed and the file restored."""
    before = mirror.file.read_text()
    undo = blocker.inject(mirror)
    mirror.change_file(**blocker.file(f"{next(CHANGE_NUMBERS)}Mi"))
    try:
        return mirror.deploy("--timeout", f"{timeout}s", "-o", "json", *options)
    finally:
        undo()
        mirror.file.write_text(before)


def reported(outcome: Outcome) -> str:
    """The message and the hint of the error; empty without an error."""
    error = outcome.document.get("error")
    return f"{error['message']}\n{error['hint']}" if error else ""


@pytest.mark.parametrize("blocker", BLOCKERS, ids=lambda one: one.name)
def test_the_blocker_is_reported_and_the_next_deployment_completes(
    served: DeployedMirror, blocker: DeployBlocker
) -> None:
    for timeout in blocker.timeouts:
        outcome = blocked_deploy(served, blocker, timeout)
        again = served.deploy()
        assert again.code == 0, again.stderr
        assert served.regmirror("diff").code == 0
        if outcome.code == blocker.code and not blocker.missing_words(reported(outcome)):
            return
    assert outcome.code == blocker.code, outcome.stderr
    assert blocker.missing_words(reported(outcome)) == [], reported(outcome)


@pytest.mark.parametrize("blocker", [one for one in BLOCKERS if one.rolls_back], ids=lambda one: one.name)
def test_with_rollback_the_mirror_serves_as_before(served: DeployedMirror, blocker: DeployBlocker) -> None:
    for timeout in blocker.timeouts:
        pods = served.pods(*ROLLING)
        outcome = blocked_deploy(served, blocker, timeout, "--rollback-on-failure")
        if outcome.document.get("error", {}).get("code") == "RM703":
            assert pods.items() <= served.pods(*ROLLING).items()
            assert served.regmirror("diff").code == 0
            return
        # On a loaded machine, the rollback has run out of time.
        assert served.deploy().code == 0
    raise AssertionError(outcome.stderr)


def test_a_first_deployment_without_room_for_its_secrets(new_mirror: Callable[[], DeployedMirror]) -> None:
    mirror = new_mirror()
    undo = quota(secrets=lambda _: 3)(mirror)
    outcome = mirror.deploy("-o", "json")
    undo()
    assert outcome.code == 1, outcome.stderr
    error = outcome.document["error"]
    assert error["code"] == "RM205"
    assert "the ResourceQuota small has no room: secrets needs" in error["message"]
    assert "describe resourcequota,limitrange" in error["hint"]
    assert mirror.objects("secrets", "-l", "app.kubernetes.io/managed-by=regmirror") == []
    assert mirror.deploy().code == 0
    mirror.await_healthy()
