"""Checks that pass in special cases, that are skipped, and that report one cause only once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from regmirror.desired import names
from regmirror.desired.registry_config import blob_path
from regmirror.errors import RegistryError, StorageError, StorageUnreachableError
from regmirror.ports.cluster import DEPLOYMENT, ENDPOINT_SLICE, INGRESS, NAMESPACE, POD
from regmirror.ports.http import Answer, Detour
from regmirror.ports.object_store import Contents
from regmirror.verify.check import Failed, Outcome, Passed, Skipped, Warned
from tests import samples
from tests.fakes.http import Request
from tests.fakes.redis_server import RedisServer
from tests.fakes.registry_host import digest_of
from tests.fakes.registry_pod import RegistryPod
from tests.unit.check_faults.cluster import no_namespace, not_ready, nothing_deployed, scaled_to_zero
from tests.unit.check_faults.registry import other_realm
from tests.unit.check_faults.storage import WITH_KEY, forget_nothing, redirecting
from tests.unit.check_faults.table import NO_BLOB, REGISTRY_SECRET, answer, break_off, edit_token_section
from tests.unit.check_faults.tls import plain_http
from tests.unit.check_faults.token import mismatched_pair, no_signing_secret
from tests.unit.check_faults.upstream import private_image, revoked_account, upstream_down
from tests.unit.deployed import REGISTRY, UPSTREAM, Deployed, deployed


def failed(outcomes: dict[str, Outcome]) -> list[str]:
    return [id_ for id_, outcome in outcomes.items() if isinstance(outcome, Failed)]


def test_the_configured_issuer_counts_if_both_programs_have_another() -> None:
    mirror = deployed()
    edit_token_section(mirror, "issuer", "x")
    mirror.edit(names.AUTH_SECRET, "auth_config.yml", lambda config: config["token"].update(issuer="x"))
    outcome = mirror.ask("config-issuer")
    assert isinstance(outcome, Failed)
    assert outcome.message == 'the issuer is "x" in the cluster and "regmirror" in the file'


def test_one_fault_is_reported_once_and_checks_that_need_it_are_skipped() -> None:
    mirror = deployed()
    edit_token_section(mirror, "issuer", "other")
    mirror.host.expects_issuer = "other"
    outcomes = mirror.ask_all()
    assert failed(outcomes) == ["config-issuer"]
    assert outcomes["token-accepted"] == Skipped("config-issuer did not pass")
    assert outcomes["clients-pull"] == Skipped("registry-manifest did not pass")
    assert isinstance(outcomes["storage-bucket"], Passed)


def test_a_missing_account_of_a_mirror_in_git_is_not_added_with_a_command_that_is_refused() -> None:
    rules = [{"allow": ["acme/*"], "users": ["alice"]}]
    mirror = deployed(upstreams=[samples.MINIMAL["upstreams"][0] | {"rules": rules}])
    (registry,) = [one for one in mirror.cluster.select(DEPLOYMENT) if one["metadata"]["name"] == REGISTRY]
    del registry["metadata"]["annotations"]["meta.helm.sh/release-name"]
    mirror.cluster.put(registry)
    outcome = mirror.ask("config-accounts")
    assert isinstance(outcome, Warned)
    assert outcome.message == 'upstreams[0].rules[0].users: there is no account "alice"'
    assert "guides/gitops/#accounts" in str(outcome.hint)


@pytest.mark.parametrize("inject", [no_namespace, nothing_deployed])
def test_a_mirror_that_is_not_deployed_is_reported_once(inject: Any) -> None:
    mirror = deployed()
    inject(mirror)
    mirror.http.hosts.clear()
    outcomes = mirror.ask_all()
    assert failed(outcomes) == ["cluster-deployed"]
    assert outcomes["tls-host"] == Skipped("see cluster-deployed")
    assert outcomes["config-ingress"] == Skipped("cluster-deployed did not pass")


def test_a_missing_namespace_that_the_user_may_not_read_is_reported_as_empty() -> None:
    mirror = deployed()
    no_namespace(mirror)
    mirror.cluster.hidden.add(NAMESPACE)
    outcome = mirror.ask("cluster-deployed")
    assert isinstance(outcome, Failed)
    assert outcome.message == "namespace regmirror does not contain a mirror"


def test_an_image_that_two_containers_of_a_pod_wait_for_is_reported_once() -> None:
    mirror = deployed()
    waiting = {"image": "an-image:1", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such host"}}}
    statuses = [{"name": "front", **waiting}, {"name": "fetcher", **waiting}]
    mirror.change(POD, f"{REGISTRY}-0", lambda pod: pod["status"].update(containerStatuses=statuses))
    outcome = mirror.ask("cluster-images")
    assert isinstance(outcome, Failed)
    assert outcome.message == f"pod {REGISTRY}-0: an-image:1: no such host"


def test_a_crash_is_shown_from_its_reason_on() -> None:
    mirror = deployed()
    not_ready(mirror)
    mirror.cluster.put(_crashed_pod())
    stack = [f"github.com/spf13/cobra.(*Command).execute(0x{number:x})" for number in range(40)]
    lines = ["level=info starting", "panic: s3aws: NoSuchBucket", "goroutine 1 [running]:", *stack, "main.main()"]
    mirror.cluster.logs[f"{names.AUTH}-0", False] = "\n".join(lines)
    outcome = mirror.ask("cluster-pods")
    assert isinstance(outcome, Failed)
    logged = [line.strip() for line in outcome.message.splitlines() if line.startswith("  log: ")]
    assert logged[:2] == ["log: panic: s3aws: NoSuchBucket", "log: goroutine 1 [running]:"]
    assert len(logged) == 5


def test_the_last_lines_are_shown_of_a_log_without_a_crash() -> None:
    mirror = deployed()
    not_ready(mirror)
    mirror.cluster.put(_crashed_pod())
    mirror.cluster.logs[f"{names.AUTH}-0", False] = "\n".join(f"line {number}" for number in range(9))
    outcome = mirror.ask("cluster-pods")
    assert isinstance(outcome, Failed)
    assert outcome.message.splitlines()[-5:] == [f"  log: line {number}" for number in range(4, 9)]


def _crashed_pod() -> dict[str, Any]:
    metadata = {"name": f"{names.AUTH}-0", "labels": {"app.kubernetes.io/instance": names.AUTH}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [{"name": "main"}]},
        "status": {"phase": "Running", "conditions": []},
    }


def test_without_an_image_nothing_is_pulled() -> None:
    mirror = deployed()
    mirror.image = None
    for check in ("clients-pull", "clients-digest"):
        assert mirror.ask(check) == Skipped("no image to pull: set probeImage, or use --image library/alpine:3")
    assert mirror.ask("clients-push-denied") == Passed("405")


def test_the_configured_image_is_pulled_if_no_other_is_given() -> None:
    mirror = deployed(upstreams=[{**samples.MINIMAL["upstreams"][0], "probeImage": "alpine:3"}])
    mirror.image = None
    assert isinstance(mirror.ask("clients-pull"), Passed)


def test_an_image_that_is_not_allowed_is_reported_once() -> None:
    mirror = deployed(upstreams=[{**samples.TWO_UPSTREAMS[1], "host": samples.HOST}])
    mirror.image = "outside/tool:1"
    outcome = mirror.ask("token-grant")
    assert isinstance(outcome, Failed)
    assert outcome.message == "upstream quay: anonymousPull does not allow outside/tool (prometheus/*)"
    assert mirror.ask("upstream-quota") == Skipped("see token-grant")


def test_an_image_without_an_index_is_pulled() -> None:
    mirror = deployed()
    mirror.host.add_image("library/alpine", "3", [b"one"])
    assert isinstance(mirror.ask("clients-pull"), Passed)


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        ("clients-digest", "cannot compare with the upstream"),
        ("upstream-quota", "the upstream did not report its quota"),
        ("upstream-credentials", "this machine cannot reach the upstream"),
    ],
)
def test_an_upstream_that_this_machine_cannot_reach_is_not_a_failure(check: str, reason: str) -> None:
    mirror = deployed()
    del mirror.http.hosts[UPSTREAM]
    assert mirror.ask(check) == Skipped(f"{reason}: the host name registry-1.docker.io does not resolve")


def test_a_tag_that_the_upstream_no_longer_has_is_a_warning() -> None:
    mirror = deployed()
    mirror.upstream.manifests.clear()
    outcome = mirror.ask("clients-digest")
    assert isinstance(outcome, Warned)
    assert outcome.message == f"{UPSTREAM} no longer has library/alpine:3 (404); the mirror serves its cached copy"


def test_an_upstream_that_answers_404_to_everything_is_a_warning() -> None:
    mirror = deployed()
    mirror.http.hosts[UPSTREAM] = lambda _: Answer(404, {}, b"")
    outcome = mirror.ask("clients-digest")
    assert isinstance(outcome, Warned)
    assert outcome.message == (
        f"{UPSTREAM} answers 404 even to /v2/, as if no registry were there; the mirror serves its cached copy of "
        "library/alpine:3"
    )


@pytest.mark.parametrize("everything", [False, True])
def test_an_image_that_neither_cache_nor_upstream_has_is_reported_as_that(everything: bool) -> None:
    mirror = deployed()
    mirror.host.manifests.clear()
    mirror.upstream.manifests.clear()
    if everything:
        mirror.http.hosts[UPSTREAM] = lambda _: Answer(404, {}, b"")
    outcome = mirror.ask("registry-manifest")
    assert isinstance(outcome, Failed)
    assert outcome.message == f"neither the cache nor {UPSTREAM} has library/alpine:3 (404)"


def test_an_image_that_only_the_mirror_does_not_find_is_a_fault_of_the_mirror() -> None:
    mirror = deployed()
    mirror.host.manifests.clear()
    del mirror.http.hosts[UPSTREAM]
    outcome = mirror.ask("registry-manifest")
    assert isinstance(outcome, Failed)
    assert "/v2/library/alpine/manifests/3 answered 404" in outcome.message


def test_a_private_image_is_compared_with_the_account_of_the_registry() -> None:
    mirror = deployed()
    assert isinstance(mirror.ask("clients-digest"), Passed)
    logins = [request.headers.get("Authorization", "") for request in mirror.http.requests if request.path == "/auth"]
    assert [login for login in logins if login.startswith("Basic")]
    mirror.replace(names.credential_secret("docker-hub"), **{"credential.json": b"{}"})
    assert isinstance(mirror.ask("clients-digest"), Passed)


def test_an_upstream_without_the_image_reports_no_quota_for_it() -> None:
    mirror = deployed()
    mirror.upstream.manifests.clear()
    assert mirror.ask("upstream-quota") == Skipped(
        "the upstream does not have ratelimitpreview/test:latest (404), so it reports no quota for it"
    )


def test_a_mirror_of_everything_denies_no_repository() -> None:
    mirror = deployed(upstreams=[{"name": "docker-hub", "anonymousPull": ["*/*"]}])
    assert mirror.ask("clients-unlisted-denied") == Skipped("anonymousPull allows every repository")


def test_a_cloud_role_is_proven_from_the_pods_that_have_it() -> None:
    mirror = deployed()
    mirror.edit(REGISTRY_SECRET, "config.yml", lambda config: config["storage"]["s3"].pop("accesskey"))
    assert mirror.ask("storage-bucket") == Passed("layers, by the cloud role of 1 pod")
    assert isinstance(mirror.ask("storage-pods"), Passed)
    only_with_a_key = Skipped("the pods get their permissions from the cloud provider, not from a key")
    for check in ("storage-owner", "storage-uploads", "storage-lifecycle", "storage-cache-agrees"):
        assert mirror.ask(check) == only_with_a_key


@pytest.mark.parametrize("storage", [None, "s3", {"s3": None}, {"s3": {"accesskey": "a"}}, {"s3": {"secretkey": "a"}}])
def test_a_registry_without_its_key_is_a_failure(storage: Any) -> None:
    mirror = deployed(storage=WITH_KEY)
    mirror.edit(REGISTRY_SECRET, "config.yml", lambda config: config.update(storage=storage))
    assert mirror.ask("storage-bucket") == Failed(
        "the registry's configuration has no S3 key", "apply the configuration file: regmirror deploy"
    )


@pytest.mark.parametrize("check", ["config-issuer", "config-service", "config-access", "cache-password"])
@pytest.mark.parametrize("content", [b"a: b", b"{auth: x, token: x, acl: x, redis: x}", b"{acl: [x], auth: [x]}"])
def test_files_with_another_structure_are_failures(check: str, content: bytes) -> None:
    mirror = deployed()
    mirror.replace(REGISTRY_SECRET, **{"config.yml": content})
    mirror.replace(names.AUTH_SECRET, **{"auth_config.yml": content})
    assert isinstance(mirror.ask(check), Failed)


def test_an_ingress_without_paths_is_a_failure() -> None:
    mirror = deployed()
    (found,) = mirror.cluster.select(INGRESS)
    for rule in ({"host": samples.HOST}, {"host": samples.HOST, "http": {"paths": [{"backend": {"resource": {}}}]}}):
        mirror.cluster.put(found | {"spec": {"rules": [rule]}})
        outcome = mirror.ask("config-ingress")
        assert isinstance(outcome, Failed)
        assert "routes /auth to nothing instead of regmirror-auth" in outcome.message


@pytest.mark.parametrize("endpoint", ["http://minio.storage.svc:9000", "https://s3.example.com"])
def test_a_store_that_only_pods_reach_is_proven_from_the_pods(endpoint: str) -> None:
    mirror = deployed(storage={"bucket": "layers", "region": "here", "endpoint": endpoint})
    mirror.store.failure = StorageUnreachableError("no answer")
    assert mirror.ask("storage-bucket") == Skipped(
        f"this machine cannot reach {endpoint}, but 1 pod can: see storage-pods"
    )
    outcomes = mirror.ask_all()
    assert isinstance(outcomes["storage-pods"], Passed)
    assert isinstance(outcomes["storage-owner"], Skipped)


def test_a_pod_that_refuses_the_token_says_nothing_about_its_store() -> None:
    mirror = deployed()
    (pod,) = mirror.cluster.select(POD, f"app.kubernetes.io/instance={REGISTRY}")
    RegistryPod(accepts_token=False).listen(mirror.cluster, pod["metadata"]["name"])
    refused = Skipped(f"pod {pod['metadata']['name']} refuses regmirror's token: see token-accepted")
    assert mirror.ask("storage-pods") == refused
    mirror.edit(REGISTRY_SECRET, "config.yml", lambda config: config["storage"]["s3"].pop("accesskey"))
    assert mirror.ask("storage-bucket") == refused


@pytest.mark.parametrize("lose_key", [mismatched_pair, no_signing_secret])
def test_without_the_signing_key_pods_are_not_asked_about_their_store(lose_key: Callable[[Deployed], None]) -> None:
    mirror = deployed()
    lose_key(mirror)
    outcomes = mirror.ask_all()
    reported = outcomes["token-key-pair"]
    assert isinstance(reported, Failed)
    assert outcomes["storage-pods"] == Skipped(f"{reported.message}: see token-key-pair")


def test_a_store_that_pods_do_not_reach_either_is_a_failure() -> None:
    mirror = deployed(storage={"bucket": "layers", "region": "here", "endpoint": "https://s3.example.com"})
    mirror.store.failure = StorageUnreachableError("no answer")
    (pod,) = mirror.cluster.select(POD, f"app.kubernetes.io/instance={REGISTRY}")
    RegistryPod(trouble="no such host").listen(mirror.cluster, pod["metadata"]["name"])
    outcome = mirror.ask("storage-bucket")
    assert isinstance(outcome, Failed)
    assert outcome.message.startswith(f"no answer; pod {pod['metadata']['name']} cannot use the bucket: ")
    assert "no such host" in outcome.message


def test_a_pod_that_refuses_the_token_does_not_show_whether_it_reaches_the_store() -> None:
    mirror = deployed(storage={"bucket": "layers", "region": "here", "endpoint": "https://s3.example.com"})
    mirror.store.failure = StorageUnreachableError("no answer")
    RegistryPod(accepts_token=False).listen(mirror.cluster, f"{REGISTRY}-0")
    assert mirror.ask("storage-bucket") == Skipped(
        f"no answer; pod {REGISTRY}-0 refuses regmirror's token: see token-accepted"
    )


def test_a_warning_fails_nothing_and_stops_nothing() -> None:
    mirror = deployed()
    plain_http(mirror)
    outcomes = mirror.ask_all()
    assert isinstance(outcomes["tls-redirect"], Warned)
    assert [id_ for id_, outcome in outcomes.items() if not isinstance(outcome, Passed)] == ["tls-redirect"]


def test_missing_pods_are_reported_once() -> None:
    mirror = deployed()
    scaled_to_zero(mirror)
    mirror.change(ENDPOINT_SLICE, names.AUTH, lambda found: found.update(endpoints=[]))
    answer(mirror, "/auth", 503)
    outcomes = mirror.ask_all()
    assert failed(outcomes) == ["cluster-pods"]
    assert outcomes["token-issued"] == Skipped(
        "Service regmirror-auth has no ready endpoint: see cluster-pods and cluster-services"
    )


def test_an_upstream_that_is_down_is_reported_once_if_the_cache_is_empty() -> None:
    mirror = deployed()
    upstream_down(mirror)
    mirror.host.manifests.clear()
    outcomes = mirror.ask_all()
    assert failed(outcomes) == ["upstream-reachable"]
    assert outcomes["registry-manifest"] == Skipped("the image is not in the cache: see upstream-reachable")


def test_a_lookup_that_redis_answers_late_once_is_no_failure() -> None:
    mirror = deployed()
    RegistryPod(late_lookups=1).listen(mirror.cluster, f"{REGISTRY}-0")
    assert mirror.ask("cache-lookups") == Passed(f"2 lookups, 1 errors since pod {REGISTRY}-0 started")


def test_a_failing_bucket_is_not_reported_as_a_fault_of_the_upstream() -> None:
    mirror = deployed()
    answer(mirror, NO_BLOB, 500, b'{"errors":[{"detail":"s3aws: ' + b"a long reason " * 20 + b'"}]}')
    assert mirror.ask("upstream-reachable") == Skipped(
        "the bucket fails before the upstream is asked: see storage-bucket"
    )


@pytest.mark.parametrize(("check", "path"), [("upstream-reachable", NO_BLOB), ("registry-catalog", "/v2/_catalog")])
def test_a_failing_volume_is_reported_as_that(check: str, path: str) -> None:
    mirror = deployed(storage={"filesystem": {"size": "10Gi"}})
    answer(mirror, path, 500, b'{"errors":[{"detail":"filesystem: open /var/lib/registry: input/output error"}]}')
    outcome = mirror.ask(check)
    assert isinstance(outcome, Skipped)
    assert outcome.reason.startswith("the volume ")
    assert outcome.reason.endswith(": see storage-pods")


def test_a_failing_bucket_is_not_reported_as_a_fault_of_the_catalog() -> None:
    mirror = deployed()
    answer(mirror, "/v2/_catalog", 500, b'{"errors":[{"detail":{"DriverName":"s3aws"}}]}')
    assert mirror.ask("registry-catalog") == Skipped("the bucket cannot be read: see storage-bucket")


def test_pods_that_send_clients_elsewhere_are_reported_once() -> None:
    mirror = deployed()
    other_realm(mirror)
    outcomes = mirror.ask_all()
    assert failed(outcomes) == ["registry-challenge"]
    assert outcomes["registry-manifest"] == Skipped("registry-challenge did not pass")


def test_an_attestation_is_not_a_platform() -> None:
    mirror = deployed()
    mirror.host.add_image("library/alpine", "3", [b"layer"], platforms=("amd64", "arm64"))
    media_type, content = mirror.host.manifests["library/alpine", "3"]
    index = json.loads(content)
    attestation = {"digest": "sha256:lost", "platform": {"os": "unknown", "architecture": "unknown"}}
    index["manifests"].append(attestation)
    mirror.host.manifests["library/alpine", "3"] = (media_type, json.dumps(index).encode())
    assert mirror.ask("registry-platforms") == Passed("2 platforms")


def test_no_pull_left_is_a_warning_even_without_a_limit() -> None:
    mirror = deployed()
    headers = {"RateLimit-Limit": "0;w=21600", "RateLimit-Remaining": "0;w=21600"}
    mirror.upstream.answers["/v2/ratelimitpreview/test/manifests/latest"] = Answer(429, headers, b"")
    assert isinstance(mirror.ask("upstream-quota"), Warned)


def test_the_registrys_error_says_why_it_cannot_reach_the_upstream() -> None:
    mirror = deployed()
    answer(mirror, NO_BLOB, 500, b'{"errors":[{"message":"unknown error","detail":"Get: connection refused"}]}')
    outcome = mirror.ask("upstream-reachable")
    assert isinstance(outcome, Failed)
    assert outcome.message.endswith("serves cached content only (500): Get: connection refused")


def test_refused_credentials_are_reported_as_the_cause() -> None:
    mirror = deployed()
    revoked_account(mirror)
    answer(mirror, NO_BLOB, 500, b"401 from the token endpoint")
    outcomes = mirror.ask_all()
    assert failed(outcomes) == ["upstream-credentials"]
    assert outcomes["upstream-reachable"] == Skipped("see upstream-credentials")


def test_a_mirror_that_waits_for_its_upstream_cannot_reach_it() -> None:
    mirror = deployed()

    def hanging(request: Request) -> Answer:
        if request.path == NO_BLOB:
            raise RegistryError("did not answer in time")
        return mirror.host(request)

    mirror.http.hosts[f"https://{samples.HOST}"] = hanging
    mirror.host.manifests.clear()
    assert isinstance(mirror.ask("registry-manifest"), Skipped)
    assert isinstance(mirror.ask("upstream-reachable"), Failed)


def test_an_image_without_a_version_is_named() -> None:
    by_digest = "registry.example.com/registry@sha256:" + "0" * 64
    mirror = deployed(registry={"image": by_digest}, redis={"image": "registry.example.com/valkey:stable"})
    assert mirror.ask("cluster-versions") == Passed("no version in registry.image, redis.image")
    assert deployed().ask("cluster-versions") == Passed()


def test_before_deploy_a_missing_bucket_is_fine_if_deploy_creates_it() -> None:
    mirror = deployed(storage={**WITH_KEY, "createBucket": True})
    mirror.store.exists = False
    assert mirror.ask("storage-key") == Passed("layers will be created")


def test_a_redirect_to_a_store_that_answers_passes() -> None:
    mirror = deployed()
    redirecting(mirror)
    mirror.http.hosts["https://store.example.com"] = lambda _: Answer(200, {}, b"")
    assert mirror.ask("storage-redirect") == Passed("https://store.example.com/x")


@pytest.mark.parametrize(
    ("dns", "words"), [(("192.0.2.1",), "DNS has 192.0.2.1"), ((), "mirror.example.com does not resolve here")]
)
def test_an_address_that_dns_does_not_have_is_a_warning(dns: tuple[str, ...], words: str) -> None:
    mirror = deployed()
    mirror.http.detours[samples.HOST, 443] = Detour("192.0.2.7", 443, dns)
    outcome = mirror.ask("tls-address")
    assert isinstance(outcome, Warned)
    assert outcome.message.startswith(f"the checks used 192.0.2.7 (--resolve), but {words}")


def test_a_redirect_of_http_to_https_passes() -> None:
    mirror = deployed()
    mirror.http.hosts["http://mirror.example.com"] = lambda _: Answer(
        301, {"Location": "https://mirror.example.com"}, b""
    )
    assert mirror.ask("tls-redirect") == Passed("301 to https")


def test_without_a_tls_secret_the_ingress_controller_has_the_certificate() -> None:
    mirror = deployed(ingress={"tlsSecret": None})
    assert mirror.ask("tls-secret") == Passed("no Secret configured: the Ingress controller has its own certificate")


def test_a_redis_that_does_not_return_its_settings_is_not_judged() -> None:
    mirror = deployed()
    server = RedisServer("canary-redis-password", settings={})
    mirror.cluster.listeners[f"{names.REDIS}-0", names.REDIS_PORT] = server
    assert mirror.ask("cache-policy") == Skipped("Redis does not return its settings")


def test_an_ingress_of_the_configured_class_passes() -> None:
    mirror = deployed(ingress={"className": "traefik"})
    (found,) = mirror.cluster.select(INGRESS)
    mirror.cluster.put(found | {"spec": {**found["spec"], "ingressClassName": "traefik"}})
    assert isinstance(mirror.ask("config-ingress"), Passed)


def test_an_image_is_public_if_there_is_no_account() -> None:
    mirror = deployed()
    private_image(mirror)
    mirror.replace(names.credential_secret("docker-hub"), **{"credential.json": b'{"Username": "", "Secret": ""}'})
    assert mirror.ask("upstream-private") == Passed("none is private: pulls are anonymous")


def test_an_image_that_the_account_cannot_read_either_is_not_published() -> None:
    mirror = deployed()
    mirror.upstream.allowed = set()
    outcome = mirror.ask("upstream-private")
    assert isinstance(outcome, Skipped)
    assert outcome.reason.startswith("the mirror's account cannot read it either: ")


def test_an_upstream_that_does_not_answer_does_not_show_whether_an_image_is_private() -> None:
    mirror = deployed()
    del mirror.http.hosts[UPSTREAM]
    reason = "cannot ask the upstream without the account: the host name registry-1.docker.io does not resolve"
    assert mirror.ask("upstream-private") == Skipped(reason)


PLAIN: dict[str, Any] = {"bucket": "layers", "region": "here", "endpoint": "http://s3.example.com"}


def test_a_store_without_encryption_is_a_warning() -> None:
    outcome = deployed(storage=PLAIN).ask("config-safety")
    assert isinstance(outcome, Warned)
    assert outcome.message.endswith("can be changed on the way: http://s3.example.com")


def test_a_store_without_encryption_can_be_accepted() -> None:
    assert deployed(storage=PLAIN | {"insecure": True}).ask("config-safety") == Passed()


def test_a_pull_of_a_lost_layer_refers_to_the_check_that_names_the_cause() -> None:
    mirror = deployed()
    forget_nothing(mirror, b"another")
    answer(mirror, f"/v2/library/alpine/blobs/{digest_of(b'another')}", 500)
    assert mirror.ask("clients-pull") == Skipped(
        "the bucket has lost layers that Redis remembers: see storage-cache-agrees"
    )
    mirror.store.sizes["docker-hub/" + blob_path(digest_of(b"another"))] = 7
    assert isinstance(mirror.ask("clients-pull"), Failed)
    mirror.store.failure = StorageError("no answer")
    assert isinstance(mirror.ask("clients-pull"), Failed)


@pytest.mark.parametrize("check", ["clients-pull", "registry-digests"])
@pytest.mark.parametrize(
    ("stored", "words"),
    [(b"damaged", "its content in the bucket does not match the digest"), (b"", "ended after 1 of")],
)
def test_a_blob_that_the_layer_cache_breaks_off_is_compared_in_the_bucket(
    check: str, stored: bytes, words: str
) -> None:
    mirror = deployed()
    blob = b"another" if check == "clients-pull" else b'{"layers": 2}'
    break_off(mirror, digest_of(blob))
    mirror.store.write("docker-hub/" + blob_path(digest_of(blob)), stored or blob)
    outcome = mirror.ask(check)
    assert isinstance(outcome, Failed)
    assert words in outcome.message
    assert ("aws s3" in outcome.hint) == bool(stored)


def test_a_lost_configuration_is_reported_once() -> None:
    mirror = deployed()
    configuration = b'{"layers": 2}'
    forget_nothing(mirror, configuration)
    break_off(mirror, digest_of(configuration))
    lost = Skipped("the bucket has lost layers that Redis remembers: see storage-cache-agrees")
    outcomes = mirror.ask_all()
    assert (outcomes["registry-digests"], outcomes["clients-pull"]) == (lost, lost)
    assert "storage-cache-agrees" in failed(outcomes)


def test_a_configuration_that_no_one_can_fetch_is_the_matter_of_the_upstream() -> None:
    mirror = deployed()
    upstream_down(mirror)
    del mirror.host.blobs[digest_of(b'{"layers": 2}')]
    outcomes = mirror.ask_all()
    assert failed(outcomes) == ["upstream-reachable"]
    assert outcomes["registry-digests"] == Skipped("not all of the image is in the cache: see upstream-reachable")


def test_a_broken_off_blob_that_the_bucket_does_not_show_is_not_called_damaged() -> None:
    mirror = deployed()
    break_off(mirror, digest_of(b"another"))
    outcomes = [mirror.ask("clients-pull")]
    mirror.store.failure = StorageError("refused")
    outcomes.append(mirror.ask("clients-pull"))
    assert [outcome.message for outcome in outcomes if isinstance(outcome, Failed)] == [
        "the answer ended after 1 of 7"
    ] * 2


def test_a_blob_that_expires_while_it_is_searched_is_not_lost() -> None:
    mirror = deployed()
    keys = {f"blobs::{digest_of(b'expired')}"}
    server = RedisServer("canary-redis-password", keys=keys)
    mirror.cluster.listeners["regmirror-redis-0", names.REDIS_PORT] = server
    real = mirror.store.measure

    def measure(prefix: str, seconds: float) -> Contents:
        keys.clear()
        return real(prefix, seconds)

    mirror.store.measure = measure  # type: ignore[method-assign]
    assert mirror.ask("storage-cache-agrees") == Passed("1 object compared")
    assert mirror.ask("storage-cache-agrees") == Passed("Redis remembers nothing of this upstream")


def test_a_registry_that_sends_no_layer_is_the_matter_of_other_checks() -> None:
    mirror = deployed()
    del mirror.cluster.listeners[f"{names.registry('docker-hub')}-0", names.REGISTRY_PORT]
    assert isinstance(mirror.ask("cache-hit"), Skipped)
