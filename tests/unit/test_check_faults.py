"""Every check of a live setting, of the public entrance and of the cache names the one thing that is broken."""

from __future__ import annotations

import json
from typing import Any

import pytest

from regmirror.desired import names
from regmirror.errors import RegistryError
from regmirror.ports.cluster import DEPLOYMENT, ENDPOINT_SLICE, INGRESS, POD, SECRET
from regmirror.ports.http import Answer
from regmirror.verify.check import Failed, Outcome, Passed, Severity, Skipped, Warned
from regmirror.verify.checks import CHECKS
from tests import samples
from tests.fakes.http import Request
from tests.fakes.redis_server import RedisServer
from tests.unit.check_faults import (
    FAULTS,
    NO_BLOB,
    WITH_KEY,
    Harm,
    answer,
    plain_http,
    redirecting,
    revoked,
    scaled_down,
    upstream_down,
)
from tests.unit.deployed import UPSTREAM, deployed
from tests.unit.test_checks import FAILURES


def message_of(check: str, outcome: Outcome) -> str:
    """What a check says that failed, or warned where that is its severity."""
    (severity,) = [one.severity for one in CHECKS if one.id == check]
    assert isinstance(outcome, Warned if severity is Severity.WARNING else Failed)
    return outcome.message


@pytest.mark.parametrize(("check", "harm", "words"), [pytest.param(c, h, w, id=f"{c}: {w}") for c, h, w in FAULTS])
def test_a_check_names_what_is_broken(check: str, harm: Harm, words: str) -> None:
    mirror = deployed()
    harm(mirror)
    outcome = mirror.ask(check)
    assert words in message_of(check, outcome)
    assert not [canary for canary in (*samples.CANARIES, "signature=canary") if canary in repr(outcome)]


def test_every_check_but_the_first_has_a_fault() -> None:
    tried = {id_ for id_, *_ in FAILURES} | {id_ for id_, *_ in FAULTS}
    assert {check.id for check in CHECKS} - tried == {"cluster-api", "token-validity"}


def test_verify_leaves_everything_as_it_was() -> None:
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


def test_a_warning_fails_nothing_and_stops_nothing() -> None:
    mirror = deployed()
    plain_http(mirror)
    outcomes = mirror.ask_all()
    assert isinstance(outcomes["tls-redirect"], Warned)
    assert [id_ for id_, outcome in outcomes.items() if not isinstance(outcome, Passed)] == ["tls-redirect"]


def test_pods_that_are_gone_are_told_once() -> None:
    mirror = deployed()
    scaled_down(mirror)
    mirror.change(ENDPOINT_SLICE, names.AUTH, lambda found: found.update(endpoints=[]))
    answer(mirror, "/auth", 503)
    outcomes = mirror.ask_all()
    assert [id_ for id_, outcome in outcomes.items() if isinstance(outcome, Failed)] == ["cluster-pods"]
    assert outcomes["token-issued"] == Skipped(
        "no pod is behind the Service regmirror-auth: see cluster-pods and cluster-services"
    )


def test_an_upstream_that_is_down_is_told_once_with_an_empty_cache() -> None:
    mirror = deployed()
    upstream_down(mirror)
    mirror.host.manifests.clear()
    outcomes = mirror.ask_all()
    assert [id_ for id_, outcome in outcomes.items() if isinstance(outcome, Failed)] == ["upstream-reachable"]
    assert outcomes["registry-manifest"] == Skipped(
        "not in the cache, and the upstream cannot be asked: see upstream-reachable"
    )


def test_a_store_that_fails_is_no_fault_of_the_upstream() -> None:
    mirror = deployed()
    answer(mirror, NO_BLOB, 500, b'{"errors":[{"detail":"s3aws: ' + b"a long reason " * 20 + b'"}]}')
    assert mirror.ask("upstream-reachable") == Skipped(
        "the store fails before the upstream is asked: see storage-bucket"
    )


def test_a_store_that_fails_is_no_fault_of_the_catalog() -> None:
    mirror = deployed()
    answer(mirror, "/v2/_catalog", 500, b'{"errors":[{"detail":{"DriverName":"s3aws"}}]}')
    assert mirror.ask("registry-catalog") == Skipped("the store fails: see storage-bucket")


def test_pods_that_send_clients_elsewhere_are_told_once() -> None:
    mirror = deployed()
    mirror.host.realm = "https://x/auth"
    outcomes = mirror.ask_all()
    assert [id_ for id_, outcome in outcomes.items() if isinstance(outcome, Failed)] == ["registry-challenge"]
    assert outcomes["registry-manifest"] == Skipped("needs registry-challenge")


def test_an_attestation_is_no_platform() -> None:
    mirror = deployed()
    mirror.host.add_image("library/alpine", "3", [b"layer"], platforms=("amd64", "arm64"))
    media_type, content = mirror.host.manifests["library/alpine", "3"]
    index = json.loads(content)
    attestation = {"digest": "sha256:lost", "platform": {"os": "unknown", "architecture": "unknown"}}
    index["manifests"].append(attestation)
    mirror.host.manifests["library/alpine", "3"] = (media_type, json.dumps(index).encode())
    assert mirror.ask("registry-platforms") == Passed("2 platforms")


def test_no_pull_at_all_is_a_warning_whatever_the_limit() -> None:
    mirror = deployed()
    headers = {"RateLimit-Limit": "0;w=21600", "RateLimit-Remaining": "0;w=21600"}
    mirror.upstream.answers["/v2/ratelimitpreview/test/manifests/latest"] = Answer(200, headers, b"")
    assert isinstance(mirror.ask("upstream-quota"), Warned)


def test_the_registrys_own_words_say_why_it_cannot_ask() -> None:
    mirror = deployed()
    answer(mirror, NO_BLOB, 500, b'{"errors":[{"message":"unknown error","detail":"Get: connection refused"}]}')
    outcome = mirror.ask("upstream-reachable")
    assert isinstance(outcome, Failed)
    assert outcome.message.endswith("serves what it has alone: 500 Get: connection refused")


def test_an_account_that_is_refused_is_the_cause_that_is_told() -> None:
    mirror = deployed()
    revoked(mirror)
    answer(mirror, NO_BLOB, 500, b"401 from the token endpoint")
    outcomes = mirror.ask_all()
    assert [id_ for id_, outcome in outcomes.items() if isinstance(outcome, Failed)] == ["upstream-credentials"]
    assert outcomes["upstream-reachable"] == Skipped("see upstream-credentials")


def test_a_mirror_that_hangs_on_its_upstream_cannot_reach_it() -> None:
    mirror = deployed()

    def hanging(request: Request) -> Answer:
        if request.path == NO_BLOB:
            raise RegistryError("did not answer in time")
        return mirror.host(request)

    mirror.http.hosts[f"https://{samples.HOST}"] = hanging
    mirror.host.manifests.clear()
    assert isinstance(mirror.ask("registry-manifest"), Skipped)
    assert isinstance(mirror.ask("upstream-reachable"), Failed)


@pytest.mark.parametrize("check", ["upstream-credentials", "upstream-quota"])
def test_an_upstream_that_cannot_be_asked_from_here_is_no_failure(check: str) -> None:
    mirror = deployed()
    del mirror.http.hosts[UPSTREAM]
    assert mirror.ask(check) == Skipped(
        "the upstream cannot be asked from here: the host name registry-1.docker.io does not resolve"
    )


def test_a_bucket_that_deploy_will_create_is_fine_before_it() -> None:
    mirror = deployed(storage={**WITH_KEY, "createBucket": True})
    mirror.store.exists = False
    assert mirror.ask("storage-key") == Passed("layers will be created")


def test_a_redirect_to_a_store_that_answers_is_fine() -> None:
    mirror = deployed()
    redirecting(mirror)
    mirror.http.hosts["https://store.example.com"] = lambda _: Answer(200, {}, b"")
    assert mirror.ask("storage-redirect") == Passed("https://store.example.com/x")


def test_a_redirect_of_http_to_https_is_fine() -> None:
    mirror = deployed()
    mirror.http.hosts["http://mirror.example.com"] = lambda _: Answer(
        301, {"Location": "https://mirror.example.com"}, b""
    )
    assert mirror.ask("tls-redirect") == Passed("301 to https")


def test_the_certificate_of_the_ingress_controller_is_not_looked_for() -> None:
    mirror = deployed(ingress={"tlsSecret": None})
    assert mirror.ask("tls-secret") == Passed("the Ingress controller has a certificate of its own")


def test_redis_that_keeps_its_settings_to_itself_is_not_judged() -> None:
    mirror = deployed()
    server = RedisServer("canary-redis-password", settings={})
    mirror.cluster.listeners[f"{names.REDIS}-0", names.REDIS_PORT] = server
    assert mirror.ask("cache-policy") == Skipped("Redis does not tell its settings")


def test_an_ingress_of_the_right_class_is_fine() -> None:
    mirror = deployed(ingress={"className": "traefik"})
    (found,) = mirror.cluster.select(INGRESS)
    mirror.cluster.put(found | {"spec": {**found["spec"], "ingressClassName": "traefik"}})
    assert isinstance(mirror.ask("config-ingress"), Passed)
