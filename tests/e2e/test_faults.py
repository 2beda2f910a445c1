"""One fault at a time in a running mirror: one check tells it, no other fails for it, and its hint mends it."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.e2e.deployed_mirror import Deployment
from tests.e2e.fault import Fault
from tests.e2e.faults import FAULTS
from tests.e2e.hint_runner import commands_in, follow

pytestmark = pytest.mark.lab

LONG = bool(os.environ.get("REGMIRROR_LONG"))
PATIENCE = 60.0
"""Seconds until Kubernetes, the Ingress controller and the pods have followed a change."""
SECONDS = 10.0
"""Twice what a verify may take: the machine of a test run does other things, too."""
HEALTHY_RUNS = 20 if LONG else 1
TRIED = [fault for fault in FAULTS if LONG or fault.quick]


@pytest.fixture(scope="module")
def pulled(mirror: Deployment) -> Iterator[Deployment]:
    """The mirror with its image in the cache; when all faults are over, it is healthy."""
    if mirror.setting.lab is None:
        pytest.skip("faults are injected in the lab only")
    assert unproven(mirror) == {}
    yield mirror
    assert mirror.deploy().code == 0
    assert unproven(mirror) == {}


@pytest.fixture(scope="module")
def healthy(pulled: Deployment) -> Deployment:
    """The mirror once the last pods of the last fault are gone."""
    wait_until_green(pulled)
    return pulled


@pytest.mark.parametrize("fault", TRIED, ids=lambda fault: fault.name)
def test_a_fault_is_told_by_its_check_alone(pulled: Deployment, fault: Fault) -> None:
    undo = fault.harm(pulled)
    try:
        message = wait_until_told(pulled, fault)
    finally:
        undo()
    assert fault.words in message


@pytest.mark.parametrize("fault", TRIED, ids=lambda fault: fault.name)
def test_the_hint_followed_to_the_letter_mends_it(pulled: Deployment, fault: Fault) -> None:
    """Nothing else is done for it: no deploy but where the hint says so, and no undoing but of what is by hand."""
    with ExitStack() as if_it_stays:
        undo = fault.harm(pulled)
        if_it_stays.callback(undo)
        hint = wait_for_hint(pulled, fault)
        assert fault.by_hand in hint
        assert fault.by_hand or commands_in(hint)
        if fault.by_hand:
            undo()
        follow(pulled, hint)
        wait_until_green(pulled)
        if_it_stays.pop_all()


@pytest.mark.parametrize("run", range(HEALTHY_RUNS))
def test_a_healthy_mirror_is_green(healthy: Deployment, run: int) -> None:  # noqa: ARG001 - a number of the run
    began = time.monotonic()
    assert unproven(healthy) == {}
    assert time.monotonic() - began < SECONDS


def wait_until_told(mirror: Deployment, fault: Fault) -> str:
    """What the fault's check says, once it is the only one that fails."""
    ends = time.monotonic() + PATIENCE
    while True:
        errors, warnings = told(mirror)
        others = set(errors) - {fault.check} - fault.consequences
        if fault.check in errors | warnings and not others:
            return (errors | warnings)[fault.check]
        assert time.monotonic() < ends, (errors, warnings)


def wait_for_hint(mirror: Deployment, fault: Fault) -> str:
    """The hint of the fault's check, once that fails in the words of the fault."""
    ends = time.monotonic() + PATIENCE
    while True:
        checks = {check["id"]: check for check in mirror.verify("--check", fault.check).document["checks"]}
        if fault.words in checks[fault.check]["message"]:
            return str(checks[fault.check]["hint"])
        assert time.monotonic() < ends, checks


def wait_until_green(mirror: Deployment) -> None:
    ends = time.monotonic() + PATIENCE
    while found := unproven(mirror):
        assert time.monotonic() < ends, found


def unproven(mirror: Deployment) -> dict[str, str]:
    """What one verify has not proven, by check: where a check is skipped, something is wrong, too."""
    checks = mirror.verify().document["checks"]
    return {check["id"]: check["message"] for check in checks if check["result"] != "success"}


def told(mirror: Deployment) -> tuple[dict[str, str], dict[str, str]]:
    """What one verify says: the errors and the warnings, by check."""
    checks = mirror.verify().document["checks"]
    errors, warnings = (
        {check["id"]: check["message"] for check in checks if check["result"] == result}
        for result in ("error", "warning")
    )
    return errors, warnings
