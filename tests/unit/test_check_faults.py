"""Every check passes on a healthy mirror, and reports the one thing that is broken in another."""

from __future__ import annotations

from typing import Any

import pytest

from regmirror.ports.cluster import DEPLOYMENT, ENDPOINT_SLICE, INGRESS, POD, SECRET
from regmirror.verify.check import Failed, Passed, Severity, Stage, Warned
from regmirror.verify.checks import CHECKS
from tests import samples
from tests.unit.check_faults import FAULTS
from tests.unit.check_faults.table import Fault
from tests.unit.deployed import deployed

SEVERITY = {check.id: check.severity for check in CHECKS} | {"token-validity": Severity.WARNING}


@pytest.mark.parametrize("fault", [pytest.param(fault, id=f"{fault.check}: {fault.message}") for fault in FAULTS])
def test_a_check_reports_what_is_broken(fault: Fault) -> None:
    mirror = deployed()
    fault.inject(mirror)
    outcome = mirror.ask(fault.check)
    assert isinstance(outcome, Warned if SEVERITY[fault.check] is Severity.WARNING else Failed)
    assert fault.message in outcome.message
    assert not [canary for canary in (*samples.CANARIES, "signature=canary") if canary in repr(outcome)]


def test_every_check_but_the_first_has_a_fault() -> None:
    assert {check.id for check in CHECKS} - {fault.check for fault in FAULTS} == {"cluster-api"}


def test_every_check_passes_on_a_healthy_mirror() -> None:
    outcomes = deployed().ask_all()
    assert list(outcomes) == [check.id for check in CHECKS if check.stage is not Stage.PRE_INSTALL]
    assert {id_: outcome for id_, outcome in outcomes.items() if not isinstance(outcome, Passed)} == {}
    assert outcomes["registry-catalog"] == Passed("1 cached repository")
    assert outcomes["clients-pull"] == Passed("library/alpine:3: 3 blobs, 2,520 bytes, all digests match")
    assert outcomes["token-validity"] == Passed("1824 days left")


def test_verify_changes_nothing() -> None:
    mirror = deployed()

    def versions() -> list[Any]:
        kinds = (SECRET, DEPLOYMENT, POD, INGRESS, ENDPOINT_SLICE)
        return [found["metadata"] for kind in kinds for found in mirror.cluster.select(kind)]

    before = versions()
    mirror.ask_all()
    assert versions() == before
    changing = [request for request in mirror.http.requests if request.method not in {"GET", "HEAD"}]
    assert {(request.method, request.path.rpartition("/blobs/")[2]) for request in changing} == {("POST", "uploads/")}
    assert mirror.store.sizes == {}
