"""One fault at a time in a running mirror: one check tells it, no other fails for it, and its cure cures it."""

import os
import time
from collections.abc import Iterator

import pytest

from tests.e2e.deployment import Deployment
from tests.e2e.fault import Fault
from tests.e2e.faults import FAULTS

pytestmark = pytest.mark.lab

LONG = bool(os.environ.get("REGMIRROR_LONG"))
PATIENCE = 60.0
"""Seconds until Kubernetes, the Ingress controller and the pods have followed a change."""
HEALTHY_RUNS = 20 if LONG else 1


@pytest.fixture(scope="module")
def pulled(mirror: Deployment) -> Iterator[Deployment]:
    """The mirror with its image in the cache; when all faults are over, it is healthy."""
    if mirror.setting.lab is None:
        pytest.skip("faults are injected in the lab only")
    assert told(mirror) == ({}, {})
    yield mirror
    assert mirror.deploy().code == 0
    assert told(mirror) == ({}, {})


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if LONG or fault.quick], ids=lambda fault: fault.name)
def test_a_fault_is_told_by_its_check_alone(pulled: Deployment, fault: Fault) -> None:
    undo = fault.harm(pulled)
    try:
        message = wait_until_told(pulled, fault)
    finally:
        undo()
    assert fault.words in message


def test_one_deploy_cures_all_that_it_is_the_cure_of(pulled: Deployment) -> None:
    """Each hint says: regmirror deploy. What several faults change is changed by the first of them."""
    harmed: set[str] = set()
    for fault in FAULTS:
        if fault.by_deploy and (LONG or fault.quick) and fault.check not in harmed:
            fault.harm(pulled)
            harmed.add(fault.check)
    errors, _ = told(pulled)
    assert errors
    assert pulled.deploy().code == 0
    assert told(pulled) == ({}, {})


@pytest.mark.parametrize("run", range(HEALTHY_RUNS))
def test_a_healthy_mirror_is_green(pulled: Deployment, run: int) -> None:  # noqa: ARG001 - a number of the run
    assert told(pulled) == ({}, {})


def wait_until_told(mirror: Deployment, fault: Fault) -> str:
    """What the fault's check says, once it is the only one that fails."""
    ends = time.monotonic() + PATIENCE
    while True:
        errors, warnings = told(mirror)
        others = set(errors) - {fault.check} - fault.consequences
        if fault.check in errors | warnings and not others:
            return (errors | warnings)[fault.check]
        assert time.monotonic() < ends, (errors, warnings)


def told(mirror: Deployment) -> tuple[dict[str, str], dict[str, str]]:
    """What one verify says: the errors and the warnings, by check."""
    checks = mirror.verify().document["checks"]
    errors, warnings = (
        {check["id"]: check["message"] for check in checks if check["result"] == result}
        for result in ("error", "warning")
    )
    return errors, warnings
