"""Whether cert-manager has issued a certificate, and the reason that a user is shown if it has not."""

from __future__ import annotations

import asyncio
import time

import pytest

from regmirror.deploy.adopt_certificates import AdoptCertificatesStep
from regmirror.deploy.certificates import CertificatesStep
from regmirror.errors import CertificateNotIssuedError, DeadlineError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import CERTIFICATE, CERTIFICATE_REQUEST, ORDER
from regmirror.steps.runner import run_steps
from regmirror.verify.check import Passed, Warned
from regmirror.workloads.issuance import issuance_of
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.fakes.progress import RecordedProgress, RecordedWaiting
from tests.unit.deployed import deployed
from tests.unit.issued import acme_object, certificate_object, issuer_object, request_object

PENDING = certificate_object(Ready=("False", "Issuing certificate as Secret does not exist"))
HOSTS = {"regmirror-tls": ["mirror.example.com"]}


def failed() -> dict[str, object]:
    certificate = certificate_object(
        Ready=("False", "Secret does not exist"), Issuing=("False", "The certificate request has failed: too many")
    )
    certificate["status"]["lastFailureTime"] = "2026-11-23T11:59:00Z"
    return certificate


def reasons(*objects: dict[str, object]) -> list[str]:
    return issuance_of(FakeCluster(objects), "regmirror-tls").reasons


def wait(cluster: FakeCluster, seconds: float = 5) -> RecordedProgress:
    progress = RecordedProgress()
    step = CertificatesStep(HOSTS, AsyncCluster(cluster), ())
    asyncio.run(run_steps([step], progress, time.monotonic() + seconds))
    return progress


def test_a_ready_certificate_is_issued() -> None:
    cluster = FakeCluster([certificate_object(Ready=("True", "up to date"))])
    assert issuance_of(cluster, "regmirror-tls").is_issued
    assert wait(cluster).events[-1] == "finished TLS certificates: issued: regmirror-tls"


def test_a_condition_about_an_earlier_version_of_the_certificate_does_not_count() -> None:
    certificate = certificate_object(Ready=("True", "up to date"))
    certificate["status"]["conditions"][0]["observedGeneration"] = 0
    issuance = issuance_of(FakeCluster([certificate]), "regmirror-tls")
    assert not issuance.is_issued
    assert issuance.reasons == ["cert-manager has not processed the Certificate yet; is its controller running?"]


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([], ["there is no Certificate regmirror-tls"]),
        (
            [certificate_object()],
            ["cert-manager has not processed the Certificate yet; is its controller running?"],
        ),
        ([PENDING], ["Issuing certificate as Secret does not exist"]),
        (
            [PENDING, request_object("tls-1", 1, Ready=("False", "old")), request_object("tls-10", 10)],
            ["Issuing certificate as Secret does not exist"],
        ),
        (
            [PENDING, request_object("tls-1", 1, Denied=("True", "not allowed"), Ready=("False", "denied"))],
            ["Issuing certificate as Secret does not exist", "CertificateRequest tls-1: not allowed"],
        ),
        (
            [
                PENDING,
                request_object("tls-1", 1, Ready=("False", "Referenced issuer is not ready")),
                issuer_object("cannot register\nan ACME account"),
            ],
            [
                "Issuing certificate as Secret does not exist",
                "CertificateRequest tls-1: Referenced issuer is not ready",
                "ClusterIssuer le: cannot register an ACME account",
            ],
        ),
    ],
)
def test_the_reason_is_that_of_the_deepest_object(objects: list[dict[str, object]], expected: list[str]) -> None:
    assert reasons(*objects) == expected


def test_an_acme_challenge_says_what_the_server_could_not_reach() -> None:
    request = request_object("tls-1", 1, Ready=("False", "Waiting on certificate issuance from order tls-1-2"))
    order = acme_object("Order", "tls-1-2", request, {"state": "pending"})
    refused = "wrong status code '404', expected '200'"
    challenge = acme_object("Challenge", "c", order, {"reason": refused}, type="HTTP-01", dnsName="mirror.example.com")
    other = acme_object("Challenge", "d", request, {"reason": "of another order"})
    assert reasons(PENDING, request, order, challenge, other)[2:] == [
        "Order tls-1-2 is pending",
        f"HTTP-01 challenge for mirror.example.com: {refused}",
    ]


@pytest.mark.parametrize("hidden", [CERTIFICATE_REQUEST, ORDER])
def test_without_permission_for_the_cause_the_certificate_still_speaks(hidden: object) -> None:
    cluster = FakeCluster([PENDING, request_object("tls-1", 1)])
    cluster.hidden = {hidden}  # type: ignore[arg-type]
    assert issuance_of(cluster, "regmirror-tls").reasons[0] == "Issuing certificate as Secret does not exist"


def test_deploy_waits_with_the_reason_and_ends_at_the_time_limit() -> None:
    with pytest.raises(DeadlineError) as caught:
        wait(FakeCluster([PENDING]), seconds=0.3)
    assert "Issuing certificate as Secret does not exist" in caught.value.message


def test_an_attempt_that_failed_ends_the_step_at_once() -> None:
    with pytest.raises(CertificateNotIssuedError) as caught:
        wait(FakeCluster([failed()]))
    assert caught.value.message == (
        "cert-manager did not issue the certificate regmirror-tls for mirror.example.com (last attempt "
        "2026-11-23T11:59:00Z): Secret does not exist; The certificate request has failed: too many"
    )
    assert (caught.value.hint or "").endswith("kubectl -n regmirror delete certificate regmirror-tls; regmirror deploy")


def test_a_failure_before_a_change_of_the_certificate_does_not_count() -> None:
    certificate = failed()
    certificate["status"]["conditions"][1]["observedGeneration"] = 0  # type: ignore[index]
    assert not issuance_of(FakeCluster([certificate]), "regmirror-tls").has_failed


def test_a_renewal_that_fails_is_a_warning_while_the_certificate_is_valid() -> None:
    certificate = failed()
    certificate["status"]["conditions"][0]["status"] = "True"  # type: ignore[index]
    mirror = deployed(ingress={"issuer": {"name": "le"}})
    mirror.cluster.put(certificate)
    outcome = mirror.ask("tls-issued")
    assert isinstance(outcome, Warned)
    assert "cannot renew the certificate regmirror-tls: The certificate request has failed" in outcome.message
    assert wait(FakeCluster([certificate])).events[-1].startswith("finished")


def test_annotations_that_name_an_issuer_are_waited_for_and_verified() -> None:
    mirror = deployed(ingress={"annotations": {"cert-manager.io/issuer": "le"}})
    assert mirror.mirror.issued_hosts == HOSTS
    mirror.cluster.put(certificate_object(Ready=("True", "up to date")))
    assert mirror.ask("tls-issued") == Passed("regmirror-tls")


def test_a_certificate_of_the_ingress_goes_over_to_the_release_and_no_other_does() -> None:
    mine, other = certificate_object("mine"), certificate_object("other")
    mine["metadata"]["ownerReferences"] = [{"kind": "Ingress", "name": f"regmirror-ingress-{samples.HOST}", "uid": "1"}]
    other["metadata"]["ownerReferences"] = [{"kind": "Ingress", "name": "shop", "uid": "2"}]
    cluster = FakeCluster([mine, other])
    before = cluster.get(CERTIFICATE, "other")
    step = AdoptCertificatesStep(("mine", "other", "absent"), AsyncCluster(cluster), ())
    assert asyncio.run(step.diff()).changed
    assert asyncio.run(step.apply(RecordedWaiting())).changed
    adopted = cluster.get(CERTIFICATE, "mine") or {}
    assert adopted["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "Helm"}
    assert adopted["metadata"]["annotations"] == {
        "meta.helm.sh/release-name": "regmirror-certificates",
        "meta.helm.sh/release-namespace": "regmirror",
    }
    assert "ownerReferences" not in adopted["metadata"]
    assert cluster.get(CERTIFICATE, "other") == before
    assert not asyncio.run(step.apply(RecordedWaiting())).changed
