"""One fault at a time in a running mirror: only its check fails, and the hint of the check fixes it."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.fault import Fault
from tests.e2e.faults import FAULTS
from tests.e2e.hint_runner import commands_in, run_hint
from tests.e2e.long_runs import LONG
from tests.e2e.waiting import DEPENDS_ON_MACHINE, SECONDS, await_value, on_this_machine

pytestmark = pytest.mark.lab

VERIFY_SECONDS = 10.0
"""Twice the time that a verify may take on an idle machine."""
HEALTHY_RUNS = 20 if LONG else 1
TESTED = [fault for fault in FAULTS if LONG or fault.quick]


@pytest.fixture(scope="module")
def pulled(mirror: DeployedMirror) -> Iterator[DeployedMirror]:
    """The mirror with its image in the cache; it is healthy again after all faults."""
    if mirror.target.lab is None:
        pytest.skip("faults are only injected in the lab")
    wait_until_green(mirror)
    yield mirror
    assert mirror.deploy().code == 0
    wait_until_green(mirror)


@pytest.fixture(scope="module")
def healthy(pulled: DeployedMirror) -> DeployedMirror:
    """The mirror after the last pods of the last fault are gone."""
    wait_until_green(pulled)
    return pulled


@pytest.mark.parametrize("fault", TESTED, ids=lambda fault: fault.name)
def test_a_fault_is_reported_by_its_check_only(pulled: DeployedMirror, fault: Fault) -> None:
    undo = fault.inject(pulled)
    try:
        message = wait_until_reported(pulled, fault)
    finally:
        undo()
    assert fault.words in message


@pytest.mark.parametrize("fault", TESTED, ids=lambda fault: fault.name)
def test_the_commands_of_the_hint_fix_it(pulled: DeployedMirror, fault: Fault) -> None:
    """Nothing else fixes it: no deploy unless the hint says so, and no undo except for a manual step."""
    with ExitStack() as on_failure:
        undo = fault.inject(pulled)
        on_failure.callback(undo)
        hint = wait_for_hint(pulled, fault)
        assert fault.manual_step in hint
        assert fault.manual_step or commands_in(hint)
        if fault.manual_step:
            undo()
        run_hint(pulled, hint)
        wait_until_green(pulled)
        on_failure.pop_all()


@pytest.mark.parametrize("run", range(HEALTHY_RUNS))
def test_a_healthy_mirror_is_green(healthy: DeployedMirror, run: int) -> None:  # noqa: ARG001 - the number of the run
    began = time.monotonic()
    assert not_successful(healthy) == {}
    assert time.monotonic() - began < on_this_machine(VERIFY_SECONDS)


def wait_until_reported(mirror: DeployedMirror, fault: Fault) -> str:
    """The message of the fault's check, when it is the only one that fails."""
    ends = time.monotonic() + SECONDS
    while True:
        errors, warnings = problems(mirror)
        others = set(errors) - {fault.check} - fault.consequences
        if fault.check in errors | warnings and not others:
            return (errors | warnings)[fault.check]
        assert time.monotonic() < ends, (errors, warnings)


def wait_for_hint(mirror: DeployedMirror, fault: Fault) -> str:
    """The hint of the fault's check, when its message contains the expected words."""
    ends = time.monotonic() + SECONDS
    while True:
        checks = {check["id"]: check for check in mirror.verify("--check", fault.check).document["checks"]}
        if fault.words in checks[fault.check]["message"]:
            return str(checks[fault.check]["hint"])
        assert time.monotonic() < ends, checks


def wait_until_green(mirror: DeployedMirror) -> None:
    await_value(lambda: not_successful(mirror), lambda found: found == {})


def not_successful(mirror: DeployedMirror) -> dict[str, str]:
    """The messages of the checks of one verify that have failed or were skipped, by ID."""
    checks = [check for check in mirror.verify().document["checks"] if check["id"] not in DEPENDS_ON_MACHINE]
    return {check["id"]: check["message"] for check in checks if check["result"] != "success"}


def problems(mirror: DeployedMirror) -> tuple[dict[str, str], dict[str, str]]:
    """The errors and the warnings of one verify, by check ID."""
    checks = mirror.verify().document["checks"]
    errors, warnings = (
        {check["id"]: check["message"] for check in checks if check["result"] == result}
        for result in ("error", "warning")
    )
    return errors, warnings
