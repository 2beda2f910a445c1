"""Every check passes on a healthy mirror and names the one thing that is broken on another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from regmirror.desired import names
from regmirror.errors import BucketMissingError, StorageUnreachableError
from regmirror.ports.cluster import DEPLOYMENT, INGRESS, POD, SECRET
from regmirror.ports.http import Answer
from regmirror.signing.key_pair import self_signed
from regmirror.verify.check import Failed, Passed, Skipped, Stage, Warned
from regmirror.verify.checks import CHECKS
from tests import samples
from tests.fakes.redis_server import RedisServer
from tests.fakes.registry_host import digest_of
from tests.unit.deployed import UPSTREAM, Deployed, deployed

REGISTRY_SECRET = names.registry_secret("docker-hub")
Harm = Callable[[Deployed], object]


def section(mirror: Deployed, key: str, value: Any) -> None:
    """Another value in the registry's auth.token section."""
    mirror.edit(REGISTRY_SECRET, "config.yml", lambda config: config["auth"]["token"].update({key: value}))


def access_list(mirror: Deployed, change: Callable[[list[Any]], object]) -> None:
    mirror.edit(names.AUTH_SECRET, "auth_config.yml", lambda config: change(config["acl"]))


def rule(name: str) -> dict[str, Any]:
    return {"match": {"type": "repository", "name": name}, "actions": ["pull"]}


def half_ready(mirror: Deployed) -> None:
    mirror.cluster.rollouts[names.AUTH] = [{"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1}]


def route(mirror: Deployed, path: str, service: str) -> None:
    (found,) = mirror.cluster.select(INGRESS)
    (entry,) = [entry for entry in found["spec"]["rules"][0]["http"]["paths"] if entry["path"] == path]
    entry["backend"]["service"]["name"] = service
    mirror.cluster.put(found)


def answer(mirror: Deployed, path: str, status: int, body: bytes = b"") -> None:
    mirror.host.answers[path] = Answer(status, {}, body)


def certificate_ending_in(mirror: Deployed, days: int) -> None:
    start = samples.NOW - timedelta(days=100)
    pair = self_signed(samples.key_pair().private_key, "regmirror", start, timedelta(days=100 + days), serial=5)
    mirror.replace(names.SIGNING_SECRET, **{"tls.crt": pair.certificate_pem})


def sign_with_another_key(mirror: Deployed) -> None:
    mirror.host.signing = samples.key_pair(2)


def forge(mirror: Deployed) -> None:
    """A token whose header names the right key, signed by another."""
    right = mirror.host.signing
    signed = mirror.subject().anonymous_token(mirror.mirror.upstreams[0])[0]
    mirror.host.signing = samples.key_pair(2)
    wrong = mirror.subject().anonymous_token(mirror.mirror.upstreams[0])[0]
    mirror.host.signing = right
    forged = ".".join([*signed.split(".")[:2], wrong.split(".")[2]])
    answer(mirror, "/auth", 200, b'{"token": "%s"}' % forged.encode())


def move_upstream(mirror: Deployed) -> None:
    mirror.upstream.add_image("library/alpine", "3", [b"newer"])


def lose_layer(mirror: Deployed) -> None:
    del mirror.host.blobs[digest_of(b"another")]


def damage_layer(mirror: Deployed) -> None:
    mirror.host.blobs[digest_of(b"another")] = b"changed"


FAILURES: list[tuple[str, str, Harm, str]] = [
    (
        "cluster-pods",
        "missing",
        lambda m: m.cluster.delete(DEPLOYMENT, names.REDIS),
        "there is no Deployment regmirror-redis in namespace regmirror",
    ),
    ("cluster-pods", "not ready", half_ready, "regmirror-auth: 0/1 ready"),
    (
        "config-issuer",
        "other at the registry",
        lambda m: section(m, "issuer", "other"),
        'docker_auth signs as issuer "regmirror", the registry expects issuer "other"',
    ),
    (
        "config-service",
        "other service",
        lambda m: section(m, "service", "x"),
        'the registry has the service "x" instead of "mirror.example.com"',
    ),
    (
        "config-service",
        "other realm",
        lambda m: section(m, "realm", "x"),
        'the registry has the realm "x" instead of "https://mirror.example.com/auth"',
    ),
    (
        "config-service",
        "none",
        lambda m: m.edit(REGISTRY_SECRET, "config.yml", lambda c: c.pop("auth")),
        'the registry has the service "None"',
    ),
    (
        "config-access",
        "rule lost",
        lambda m: access_list(m, lambda acl: acl.pop(0)),
        "docker_auth's ACL lacks: library/*",
    ),
    (
        "config-access",
        "rule added",
        lambda m: access_list(m, lambda acl: acl.append(rule("evil/*"))),
        "docker_auth's ACL adds: evil/*",
    ),
    (
        "config-access",
        "open to all",
        lambda m: access_list(m, lambda acl: acl.insert(0, {"actions": ["*"]})),
        "docker_auth's ACL adds: any repository",
    ),
    (
        "config-access",
        "both",
        lambda m: access_list(m, lambda acl: acl.__setitem__(0, rule("b/*"))),
        "docker_auth's ACL lacks: library/*; its ACL adds: b/*",
    ),
    (
        "config-access",
        "other order",
        lambda m: access_list(m, lambda acl: acl.reverse()),
        "docker_auth's ACL has another order",
    ),
    (
        "config-access",
        "not YAML",
        lambda m: m.replace(names.AUTH_SECRET, **{"auth_config.yml": b"{"}),
        "auth_config.yml in Secret regmirror-auth-config is not valid YAML",
    ),
    (
        "config-access",
        "empty",
        lambda m: m.replace(names.AUTH_SECRET, **{"auth_config.yml": b""}),
        "auth_config.yml in Secret regmirror-auth-config is empty",
    ),
    (
        "config-access",
        "no Secret",
        lambda m: m.cluster.delete(SECRET, names.AUTH_SECRET),
        "namespace regmirror has no Secret regmirror-auth-config",
    ),
    (
        "config-ingress",
        "gone",
        lambda m: m.cluster.delete(INGRESS, "public"),
        "no Ingress of the mirror has the host mirror.example.com; they have nothing",
    ),
    (
        "config-ingress",
        "auth elsewhere",
        lambda m: route(m, "/auth", "x"),
        "the Ingress of mirror.example.com sends /auth to x instead of regmirror-auth",
    ),
    (
        "config-ingress",
        "registry elsewhere",
        lambda m: route(m, "/v2", "x"),
        "sends /v2 to x instead of regmirror-docker-hub",
    ),
    ("tls-host", "no DNS", lambda m: m.http.hosts.clear(), "the host name mirror.example.com does not resolve"),
    (
        "tls-route",
        "unknown host",
        lambda m: answer(m, "/v2/", 404),
        "https://mirror.example.com/v2/ answered 404: the Ingress controller knows no such host",
    ),
    (
        "tls-route",
        "no pod",
        lambda m: answer(m, "/v2/", 503),
        "https://mirror.example.com/v2/ answered 503: no registry pod serves",
    ),
    (
        "token-key-pair",
        "mismatched",
        lambda m: m.replace(names.SIGNING_SECRET, **{"tls.key": samples.key_pair(2).key_pem}),
        "the signing key does not match its certificate",
    ),
    (
        "token-key-pair",
        "no Secret",
        lambda m: m.cluster.delete(SECRET, names.SIGNING_SECRET),
        "namespace regmirror has no Secret regmirror-signing",
    ),
    (
        "token-bundle",
        "other certificate",
        lambda m: m.replace(names.BUNDLE_SECRET, **{"bundle.crt": samples.key_pair(2).certificate_pem}),
        "the certificate bundle of the registry lacks the signing key",
    ),
    (
        "token-bundle",
        "empty",
        lambda m: m.replace(names.BUNDLE_SECRET, **{"bundle.crt": b""}),
        "the certificate bundle has no PEM certificate",
    ),
    (
        "token-issued",
        "502",
        lambda m: answer(m, "/auth", 502),
        "the token endpoint https://mirror.example.com/auth answered 502",
    ),
    (
        "token-issued",
        "no token",
        lambda m: answer(m, "/auth", 200, b'{"token": "x"}'),
        "is not a JSON Web Token",
    ),
    (
        "token-signature",
        "unknown key",
        sign_with_another_key,
        "which the registry's certificate bundle lacks (it trusts ",
    ),
    ("token-signature", "forged", forge, "but its signature is another's"),
    (
        "token-claims",
        "other issuer",
        lambda m: setattr(m.host, "signs_as", "x"),
        'the token\'s issuer is "x" instead of "regmirror"',
    ),
    (
        "token-claims",
        "no service",
        lambda m: answer(m, "/auth", 200, b'{"token": "e30.eyJpc3MiOiAicmVnbWlycm9yIn0.AAAA"}'),
        'the token\'s service is "None" instead of "mirror.example.com"',
    ),
    (
        "token-accepted",
        "stale pods",
        lambda m: setattr(m.host, "bundle", samples.key_pair(2).certificate_pem),
        "its pods run with another issuer, service or certificate bundle",
    ),
    (
        "registry-challenge",
        "open",
        lambda m: answer(m, "/v2/", 200),
        "/v2/ answered 200 to a client without a token, instead of 401",
    ),
    (
        "registry-challenge",
        "other realm",
        lambda m: setattr(m.host, "realm", "https://x/auth"),
        "/v2/ sends clients to https://x/auth instead of https://mirror.example.com/auth",
    ),
    (
        "registry-challenge",
        "no realm",
        lambda m: answer(m, "/v2/", 401),
        "/v2/ sends clients to nowhere instead of https://mirror.example.com/auth",
    ),
    (
        "registry-catalog-denied",
        "open",
        lambda m: answer(m, "/v2/_catalog", 200),
        "/v2/_catalog answered 200 to a client without a token",
    ),
    (
        "registry-catalog",
        "refused",
        lambda m: setattr(m.host, "expects_issuer", "x"),
        "/v2/_catalog answered 401 to a token that grants it",
    ),
    ("registry-catalog", "no catalog", lambda m: answer(m, "/v2/_catalog", 200, b"[]"), "something that is no catalog"),
    (
        "storage-bucket",
        "missing",
        lambda m: setattr(m.store, "failure", BucketMissingError("cannot look at the bucket: it does not exist")),
        "it does not exist",
    ),
    (
        "storage-bucket",
        "unreachable",
        lambda m: setattr(m.store, "failure", StorageUnreachableError("no answer")),
        "no answer",
    ),
    ("cache-password", "no pod", lambda m: m.cluster.delete(POD, f"{names.REDIS}-0"), "no Redis pod is running"),
    (
        "cache-password",
        "other password",
        lambda m: m.cluster.listeners.update({(f"{names.REDIS}-0", 6379): RedisServer("x")}),
        "Redis refuses the registry's password (WRONGPASS): every request goes to S3 instead",
    ),
    (
        "cache-password",
        "loading",
        lambda m: m.cluster.listeners.update(
            {(f"{names.REDIS}-0", 6379): RedisServer("canary-redis-password", b"-LOADING\r\n")}
        ),
        "Redis answers LOADING to PING",
    ),
    (
        "cache-password",
        "silent",
        lambda m: m.cluster.listeners.update({(f"{names.REDIS}-0", 6379): lambda _: None}),
        "Redis",
    ),
    (
        "token-grant",
        "not granted",
        lambda m: m.host.allowed.clear(),
        "/auth grants no pull of library/alpine: docker_auth's ACL does not have it",
    ),
    ("clients-pull", "no image", lambda m: m.host.manifests.clear(), "/v2/library/alpine/manifests/3 answered 404"),
    ("clients-pull", "layer lost", lose_layer, "answered 404"),
    ("clients-pull", "layer damaged", damage_layer, "gave 7 bytes of another content than its digest says"),
    ("clients-digest", "old copy", move_upstream, "the mirror serves an old copy"),
    (
        "clients-unlisted-denied",
        "granted",
        lambda m: m.host.allowed.add("regmirror-probe/not-allowed"),
        "/auth lets everyone pull regmirror-probe/not-allowed: docker_auth's ACL is wider than the file",
    ),
    (
        "clients-unlisted-denied",
        "not asked",
        lambda m: answer(m, "/v2/regmirror-probe/not-allowed/manifests/latest", 404),
        "was answered 404 instead of 401",
    ),
    (
        "clients-push-denied",
        "granted",
        lambda m: m.host.granted.add("push"),
        "/auth lets everyone push library/alpine: docker_auth's ACL is too wide",
    ),
    (
        "clients-push-denied",
        "all granted",
        lambda m: m.host.granted.update({"push", "*"}),
        "/auth lets everyone push library/alpine",
    ),
    (
        "clients-push-denied",
        "accepted",
        lambda m: answer(m, "/v2/library/alpine/blobs/uploads/", 202),
        "an upload to library/alpine was answered 202 instead of refused",
    ),
]


@pytest.mark.parametrize(("check", "harm", "words"), [pytest.param(i, h, w, id=f"{i}: {n}") for i, n, h, w in FAILURES])
def test_a_check_names_what_is_broken(check: str, harm: Harm, words: str) -> None:
    mirror = deployed()
    harm(mirror)
    outcome = mirror.ask(check)
    assert isinstance(outcome, Failed)
    assert words in outcome.message
    assert not [canary for canary in samples.CANARIES if canary in f"{outcome.message}{outcome.hint}"]


def test_every_check_passes_on_a_healthy_mirror() -> None:
    outcomes = deployed().ask_all()
    assert list(outcomes) == [check.id for check in CHECKS if check.stage is not Stage.BEFORE]
    assert {id_: outcome for id_, outcome in outcomes.items() if not isinstance(outcome, Passed)} == {}
    assert outcomes["registry-catalog"] == Passed("1 cached repository")
    assert outcomes["clients-pull"] == Passed("library/alpine:3: 3 blobs, 2,520 bytes, every digest right")
    assert outcomes["token-validity"] == Passed("1824 days left")


@pytest.mark.parametrize(
    ("days", "message"),
    [(59, "the signing certificate ends in 59 days"), (-1, "the signing certificate ended on 2026-11-22")],
)
def test_a_certificate_near_its_end_is_a_warning(days: int, message: str) -> None:
    mirror = deployed()
    certificate_ending_in(mirror, days)
    assert mirror.ask("token-validity") == Warned(
        message, "replace it, without a failed pull: regmirror rotate-cert --force"
    )


def test_the_issuer_of_the_file_counts_when_both_programs_have_another() -> None:
    mirror = deployed()
    section(mirror, "issuer", "x")
    mirror.edit(names.AUTH_SECRET, "auth_config.yml", lambda config: config["token"].update(issuer="x"))
    outcome = mirror.ask("config-issuer")
    assert isinstance(outcome, Failed)
    assert outcome.message == 'the issuer in the cluster is "x", in the file "regmirror"'


def test_one_fault_is_told_once_and_what_needs_it_is_skipped() -> None:
    mirror = deployed()
    section(mirror, "issuer", "other")
    mirror.host.expects_issuer = "other"
    outcomes = mirror.ask_all()
    assert [id_ for id_, outcome in outcomes.items() if isinstance(outcome, Failed)] == ["config-issuer"]
    assert outcomes["token-accepted"] == Skipped("needs config-issuer")
    assert outcomes["clients-pull"] == Skipped("needs registry-manifest")
    assert isinstance(outcomes["storage-bucket"], Passed)


def test_without_an_image_nothing_is_pulled() -> None:
    mirror = deployed()
    mirror.image = None
    for check in ("clients-pull", "clients-digest"):
        assert mirror.ask(check) == Skipped(
            "no image to pull is known: set probeImage of the upstream, or use --image NAME"
        )
    assert mirror.ask("clients-push-denied") == Passed("405")


def test_the_image_of_the_file_is_pulled_where_no_other_is_named() -> None:
    mirror = deployed(upstreams=[{**samples.MINIMAL["upstreams"][0], "probeImage": "alpine:3"}])
    mirror.image = None
    assert isinstance(mirror.ask("clients-pull"), Passed)


def test_an_image_that_may_not_be_pulled_is_no_proof() -> None:
    mirror = deployed()
    mirror.image = "outside/tool:1"
    outcome = mirror.ask("clients-pull")
    assert isinstance(outcome, Failed)
    assert outcome.message == (
        "outside/tool:1 is not among the repositories of docker-hub that everyone may pull (library/*, acme/tool)"
    )


def test_an_image_without_an_index_is_pulled() -> None:
    mirror = deployed()
    mirror.host.add_image("library/alpine", "3", [b"one"])
    assert isinstance(mirror.ask("clients-pull"), Passed)


def test_an_upstream_that_cannot_be_asked_is_no_failure() -> None:
    mirror = deployed()
    del mirror.http.hosts[UPSTREAM]
    assert mirror.ask("clients-digest") == Skipped(
        "the upstream cannot be asked from here: the host name registry-1.docker.io does not resolve"
    )


def test_a_mirror_of_everything_denies_no_repository() -> None:
    mirror = deployed(upstreams=[{"name": "docker-hub", "anonymousPull": ["*/*"]}])
    assert mirror.ask("clients-unlisted-denied") == Skipped("anonymousPull allows every repository")


def test_rights_from_the_cloud_are_not_tried_from_here() -> None:
    mirror = deployed()
    mirror.edit(REGISTRY_SECRET, "config.yml", lambda config: config["storage"]["s3"].pop("accesskey"))
    assert mirror.ask("storage-bucket") == Skipped("the pods have their rights from the cloud, not from a key")


@pytest.mark.parametrize("storage", [None, "s3", {"s3": None}, {"s3": {"accesskey": "a"}}, {"s3": {"secretkey": "a"}}])
def test_a_registry_that_lost_its_key_is_told_so(storage: Any) -> None:
    key = {"id": {"env": "S3_ID"}, "secret": {"env": "S3_SECRET"}}
    mirror = deployed(storage={"bucket": "layers", "region": "here", "accessKey": key})
    mirror.edit(REGISTRY_SECRET, "config.yml", lambda config: config.update(storage=storage))
    assert mirror.ask("storage-bucket") == Failed("the registry's configuration lacks its S3 key", "regmirror deploy")


@pytest.mark.parametrize("check", ["config-issuer", "config-service", "config-access", "cache-password"])
@pytest.mark.parametrize("content", [b"a: b", b"{auth: x, token: x, acl: x, redis: x}", b"{acl: [x], auth: [x]}"])
def test_files_that_hold_something_else_altogether_are_failures(check: str, content: bytes) -> None:
    mirror = deployed()
    mirror.replace(REGISTRY_SECRET, **{"config.yml": content})
    mirror.replace(names.AUTH_SECRET, **{"auth_config.yml": content})
    assert isinstance(mirror.ask(check), Failed)


def test_an_ingress_without_paths_is_a_failure() -> None:
    mirror = deployed()
    (found,) = mirror.cluster.select(INGRESS)
    for rule_ in ({"host": samples.HOST}, {"host": samples.HOST, "http": {"paths": [{"backend": {"resource": {}}}]}}):
        mirror.cluster.put(found | {"spec": {"rules": [rule_]}})
        outcome = mirror.ask("config-ingress")
        assert isinstance(outcome, Failed)
        assert "sends /auth to None instead of regmirror-auth" in outcome.message


def test_a_store_inside_the_cluster_cannot_be_asked_from_outside() -> None:
    storage = {"bucket": "layers", "region": "here", "endpoint": "http://minio.storage.svc:9000"}
    mirror = deployed(storage=storage)
    mirror.store.failure = StorageUnreachableError("no answer")
    assert mirror.ask("storage-bucket") == Skipped(
        "http://minio.storage.svc:9000 can be reached from inside the cluster only"
    )
