"""What can be broken in a mirror in memory, and the words in which a check must tell it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from regmirror.desired import names
from regmirror.errors import StorageError
from regmirror.ports.cluster import DEPLOYMENT, ENDPOINT_SLICE, POD, SECRET, Right
from regmirror.ports.http import Answer
from tests import samples
from tests.fakes.http import Request
from tests.fakes.redis_server import RedisServer
from tests.fakes.registry_host import digest_of
from tests.fakes.registry_pod import RegistryPod
from tests.unit.deployed import REGISTRY, Deployed, deployed

REGISTRY_SECRET = names.registry_secret("docker-hub")
NO_BLOB = f"/v2/library/alpine/blobs/sha256:{'0' * 64}"
Harm = Callable[[Deployed], object]
FAULTS: list[tuple[str, Harm, str]] = []


def fault(check: str, words: str) -> Callable[[Harm], Harm]:
    """The function below does the harm that ``check`` must tell in these ``words``."""

    def note(harm: Harm) -> Harm:
        FAULTS.append((check, harm, words))
        return harm

    return note


def registry(mirror: Deployed, change: Callable[[Any], object]) -> None:
    mirror.edit(REGISTRY_SECRET, "config.yml", change)


def auth(mirror: Deployed, change: Callable[[Any], object]) -> None:
    mirror.edit(names.AUTH_SECRET, "auth_config.yml", change)


def container(mirror: Deployed, name: str, **changes: Any) -> None:
    mirror.change(DEPLOYMENT, name, lambda found: found["spec"]["template"]["spec"]["containers"][0].update(changes))


def container_status(mirror: Deployed, **status: Any) -> None:
    statuses = [{"name": "main", "image": "an-image:1", **status}]
    mirror.change(POD, f"{REGISTRY}-0", lambda pod: pod["status"].update(containerStatuses=statuses))


def reconfigured(mirror: Deployed, **changes: Any) -> None:
    """Another file, and what it makes of the cluster."""
    other = deployed(**changes)
    mirror.mirror, mirror.cluster = other.mirror, other.cluster


def answer(mirror: Deployed, path: str, status: int, body: bytes = b"", **headers: str) -> None:
    mirror.host.answers[path] = Answer(status, headers, body)


@fault("cluster-version", "the cluster runs Kubernetes 1.29; 1.30 is needed")
def old_cluster(mirror: Deployed) -> None:
    mirror.cluster.server_version = (1, 29)


@fault("cluster-permissions", "the user of context fake may not, in namespace regmirror: get pods/log")
def missing_right(mirror: Deployed) -> None:
    mirror.cluster.denied.add(Right("get", "", "pods/log"))


@fault("cluster-versions", "docker.io/library/registry:3.0.0 is older than 3.1.2: older ones let tags be deleted")
def old_registry(mirror: Deployed) -> None:
    reconfigured(mirror, registry={"image": "docker.io/library/registry:3.0.0"})


@fault("cluster-versions", "docker.io/cesanta/docker_auth:v1.13.0 is older than 1.14.0: older ones cannot name keys")
def old_auth(mirror: Deployed) -> None:
    reconfigured(mirror, auth={"image": "docker.io/cesanta/docker_auth:v1.13.0"})


@fault("cluster-images", "pod regmirror-docker-hub-0: an-image:1: no such host")
def unpullable(mirror: Deployed) -> None:
    container_status(mirror, state={"waiting": {"reason": "ImagePullBackOff", "message": "no such host"}})


@fault("cluster-pods", "regmirror-auth is scaled to 0 instead of 1")
def scaled_down(mirror: Deployed) -> None:
    mirror.change(DEPLOYMENT, names.AUTH, lambda found: found["spec"].update(replicas=0))


@fault("cluster-services", "no ready pod is behind the Service regmirror-redis")
def wrong_selector(mirror: Deployed) -> None:
    mirror.change(ENDPOINT_SLICE, names.REDIS, lambda found: found.update(endpoints=None))


@fault("cluster-restarts", "regmirror-docker-hub-0: restarted 3 times, last after OOMKilled (exit code 137)")
def out_of_memory(mirror: Deployed) -> None:
    ended = {"reason": "OOMKilled", "exitCode": 137, "finishedAt": "2026-11-23T10:00:00Z"}
    container_status(mirror, restartCount=3, lastState={"terminated": ended})


@fault("config-users", "docker_auth has users that the file does not have: admin. admin and test have passwords")
def sample_user(mirror: Deployed) -> None:
    auth(mirror, lambda config: config["users"].update(admin={"password": "$2y$"}))


@fault("config-users", "docker_auth does not know the user with the empty name: every client needs a login")
def no_anonymous(mirror: Deployed) -> None:
    auth(mirror, lambda config: config.pop("users"))


@fault("config-ingress", "the Ingress of mirror.example.com has the class None instead of traefik")
def other_class(mirror: Deployed) -> None:
    reconfigured(mirror, ingress={"className": "traefik"})


def patterns(*entries: str) -> Harm:
    return lambda mirror: reconfigured(mirror, upstreams=[{"name": "docker-hub", "anonymousPull": list(entries)}])


fault("config-patterns", "docker.io/library: no repository begins with a host name")(patterns("docker.io/library"))
fault("config-patterns", "library/*/*: every repository of Docker Hub is of the form NAME/NAME")(
    patterns("library/*/*")
)
fault("config-patterns", "library/alpine: library/* stands before it and allows the same")(
    patterns("library/*", "library/alpine")
)


@fault("config-safety", "it accepts pushes and deletions")
def writable(mirror: Deployed) -> None:
    registry(mirror, lambda config: config["storage"]["maintenance"].pop("readonly"))


@fault("config-safety", "its debug port, which shows passwords, is open to every pod")
def open_debug_port(mirror: Deployed) -> None:
    registry(mirror, lambda config: config["http"]["debug"].update(addr=":5001"))


@fault("config-safety", "nothing that expires is ever removed from the bucket")
def never_deleted(mirror: Deployed) -> None:
    registry(mirror, lambda config: config["storage"].pop("delete"))


@fault("config-safety", "it accepts tokens of any algorithm")
def any_algorithm(mirror: Deployed) -> None:
    registry(mirror, lambda config: config["auth"]["token"].pop("signingalgorithms"))


@fault("config-safety", "several replicas overwrite each other's list of what expires")
def expiry_with_replicas(mirror: Deployed) -> None:
    reconfigured(mirror, registry={"replicas": 2, "ttl": 0})
    registry(mirror, lambda config: config["proxy"].update(ttl="168h"))


@fault("config-registry", "the registry's live configuration differs from the file in: proxy.ttl, http.extra")
def drifted_registry(mirror: Deployed) -> None:
    registry(mirror, lambda config: (config["proxy"].update(ttl="1h"), config["http"].update(extra="canary-s3-secret")))


@fault("config-auth", "docker_auth's live configuration differs from the file in: token.disable_legacy_key_id, google")
def drifted_auth(mirror: Deployed) -> None:
    auth(mirror, lambda config: (config["token"].pop("disable_legacy_key_id"), config.update(google={"a": 1})))


@fault("config-redis", "Redis's live configuration differs from the file in: maxmemory-policy")
def drifted_redis(mirror: Deployed) -> None:
    settings = b'maxmemory 128mb\nmaxmemory-policy noeviction\nsave ""\nappendonly no\ndatabases 64\n'
    mirror.replace(names.REDIS_SECRET, **{"valkey.conf": settings})


@fault("config-images", "regmirror-auth runs docker.io/somebody/docker_auth:1 instead of docker.io/cesanta/docker_auth")
def other_image(mirror: Deployed) -> None:
    container(mirror, names.AUTH, image="docker.io/somebody/docker_auth:1")


@fault("config-variables", "regmirror-docker-hub has variables that override its configuration: REGISTRY_PROXY_TTL")
def variable(mirror: Deployed) -> None:
    container(mirror, REGISTRY, env=[{"name": "OTEL_TRACES_EXPORTER"}, {"name": "REGISTRY_PROXY_TTL"}])


@fault("config-log-level", "docker_auth runs with --v=3: its log has every token and password")
def talkative(mirror: Deployed) -> None:
    container(mirror, names.AUTH, args=["--v=3", "--logtostderr"])


@fault("config-log-level", "there is no Deployment regmirror-auth")
def no_auth(mirror: Deployed) -> None:
    mirror.cluster.delete(DEPLOYMENT, names.AUTH)


@fault("tls-secret", "there is no Secret regmirror-tls with the certificate of mirror.example.com")
def no_certificate(mirror: Deployed) -> None:
    mirror.cluster.delete(SECRET, "regmirror-tls")


@fault("tls-secret", "tls.crt in the Secret regmirror-tls is no certificate")
def not_a_certificate(mirror: Deployed) -> None:
    mirror.replace("regmirror-tls", **{"tls.crt": b"x"})


def certificate(host: str, days: int) -> Harm:
    pem = samples.public_certificate(host, days).public_bytes(Encoding.PEM)
    return lambda mirror: mirror.replace("regmirror-tls", **{"tls.crt": pem})


fault("tls-secret", "the certificate in the Secret regmirror-tls is not for mirror.example.com")(
    certificate("*.mirror.example.com", 90)
)
fault("tls-secret", "the certificate in the Secret regmirror-tls ended on 2026-11-22")(certificate(samples.HOST, -1))


@fault("tls-secret", "is not for mirror.example.com")
def no_names(mirror: Deployed) -> None:
    mirror.replace("regmirror-tls", **{"tls.crt": samples.key_pair().certificate_pem})


@fault("tls-validity", "the certificate of mirror.example.com ends in 13 days")
def ending(mirror: Deployed) -> None:
    der = samples.public_certificate(samples.HOST, 13).public_bytes(Encoding.DER)
    mirror.http.certificates[samples.HOST] = der


@fault("tls-redirect", "http://mirror.example.com/v2/ answered 200: a client that is told http")
def plain_http(mirror: Deployed) -> None:
    mirror.http.hosts["http://mirror.example.com"] = lambda _: Answer(200, {}, b"")


@fault("token-key-mount", "the private key is mounted by the registry, which needs no more than the bundle")
def key_in_the_registry(mirror: Deployed) -> None:
    volumes = [{"name": "config"}, {"secret": {"secretName": names.SIGNING_SECRET}}]
    mirror.change(POD, f"{REGISTRY}-0", lambda pod: pod["spec"].update(volumes=volumes))


@fault("token-lifetime", "tokens are valid for 300 s instead of 600 s")
def shorter_lifetime(mirror: Deployed) -> None:
    reconfigured(mirror, auth={"tokenLifetime": "10m"})


@fault("token-lifetime", "the token does not say when it was issued and when it ends")
def no_end(mirror: Deployed) -> None:
    answer(mirror, "/auth", 200, b'{"token": "e30.e30.AAAA"}')


@fault("token-clock", "the clocks are 90 s apart (this machine 12:00:00, the registry 12:01:30); from 60 s")
def clock_ahead(mirror: Deployed) -> None:
    answer(mirror, "/v2/", 401, Date=format_datetime(samples.NOW + timedelta(seconds=90)))


def unguarded(mirror: Deployed) -> None:
    """A registry that does not look at tokens, whatever is wrong with them."""
    answer(mirror, "/v2/regmirror-probe/not-allowed/manifests/latest", 404)


for kind in ("audience", "repository", "signature", "expired"):
    fault(f"token-{kind}-refused", "the registry answered 404 instead of 401")(unguarded)


@fault("registry-readonly", "an upload that its token allows was answered 202 instead of refused")
def uploads(mirror: Deployed) -> None:
    answer(mirror, "/v2/regmirror-probe/not-allowed/blobs/uploads/", 202)


@fault("registry-manifest", "/v2/library/alpine/manifests/3 answered 404")
def no_manifest(mirror: Deployed) -> None:
    mirror.host.manifests.clear()


@fault("registry-head", "/v2/library/alpine/manifests/3 answered GET with 200 and HEAD with 404")
def no_head(mirror: Deployed) -> None:
    between(mirror, lambda request, found: Answer(404, {}, b"") if request.method == "HEAD" else found)


@fault("registry-head", "has the docker-content-digest")
def changed_head(mirror: Deployed) -> None:
    between(mirror, lambda request, found: Answer(200, {}, b"") if request.method == "HEAD" else found)


def between(mirror: Deployed, change: Callable[[Request, Answer], Answer]) -> None:
    """Something before the mirror that changes answers about manifests."""
    host = mirror.host

    def changed(request: Request) -> Answer:
        found = host(request)
        return change(request, found) if "/manifests/" in request.path else found

    mirror.http.hosts[f"https://{samples.HOST}"] = changed


@fault("registry-platforms", "/v2/library/alpine/manifests/sha256:")
def lost_platform(mirror: Deployed) -> None:
    for repository, reference in list(mirror.host.manifests):
        if reference.startswith("sha256:") and mirror.host.manifests[repository, reference][0].endswith(
            "manifest.v1+json"
        ):
            del mirror.host.manifests[repository, reference]


@fault("registry-tags", "/v2/library/alpine/tags/list answered 500")
def broken_tags(mirror: Deployed) -> None:
    answer(mirror, "/v2/library/alpine/tags/list", 500)


@fault("registry-tags", "answered something that is no list of tags")
def no_tags(mirror: Deployed) -> None:
    answer(mirror, "/v2/library/alpine/tags/list", 200, b"[]")


@fault("registry-tags", "is empty, though library/alpine:3 can be pulled")
def empty_tags(mirror: Deployed) -> None:
    answer(mirror, "/v2/library/alpine/tags/list", 200, b'{"tags": null}')


@fault("storage-key", "refused")
def refused_key(mirror: Deployed) -> None:
    reconfigured(mirror, storage=WITH_KEY)
    mirror.store.failure = StorageError("refused", hint="check storage.accessKey")


@fault("storage-key", "does not exist")
def no_bucket(mirror: Deployed) -> None:
    reconfigured(mirror, storage=WITH_KEY)
    mirror.store.exists = False


WITH_KEY = {"bucket": "layers", "region": "here", "accessKey": {"id": {"env": "S3_ID"}, "secret": {"env": "S3_SECRET"}}}


@fault("storage-pods", "pod regmirror-docker-hub-0 says of its store: s3aws: NoSuchBucket")
def store_lost(mirror: Deployed) -> None:
    RegistryPod(lambda: 0, "s3aws: NoSuchBucket").listen(mirror.cluster, f"{REGISTRY}-0")


def redirecting(mirror: Deployed) -> None:
    reconfigured(mirror, storage={"bucket": "layers", "region": "here", "redirect": True})
    config = digest_of(b'{"layers": 2}')
    answer(mirror, f"/v2/library/alpine/blobs/{config}", 307, Location="https://store.example.com/x?signature=canary")


fault("storage-redirect", "clients are sent to the store, which cannot be reached from here")(redirecting)


@fault("storage-redirect", "the store answered 403")
def refusing_store(mirror: Deployed) -> None:
    redirecting(mirror)
    mirror.http.hosts["https://store.example.com"] = lambda _: Answer(403, {}, b"")


@fault("storage-uploads", "1 uploads to the bucket were never finished")
def unfinished(mirror: Deployed) -> None:
    mirror.store.uploads = {"docker-hub/a": samples.NOW - timedelta(days=2), "docker-hub/b": samples.NOW}


@fault("storage-lifecycle", "delete or archive what the registry counts on: expire-30d")
def expiring_objects(mirror: Deployed) -> None:
    mirror.store.rules = {"expire-30d": "", "logs": "logs/"}


@fault("storage-speed", "ms to give the registry a manifest")
def slow_store(mirror: Deployed) -> None:
    RegistryPod(lambda: mirror.host.blob_pulls, store_seconds=0.2).listen(mirror.cluster, f"{REGISTRY}-0")


@fault("cache-policy", "Redis runs with maxmemory-policy noeviction and maxmemory 0")
def no_eviction(mirror: Deployed) -> None:
    settings = {"maxmemory": "0", "maxmemory-policy": "noeviction"}
    server = RedisServer("canary-redis-password", settings=settings)
    mirror.cluster.listeners[f"{names.REDIS}-0", names.REDIS_PORT] = server


@fault("cache-policy", "Redis remembers nothing new: OOM command not allowed")
def no_memory(mirror: Deployed) -> None:
    server = RedisServer(
        "canary-redis-password", stored=b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"
    )
    mirror.cluster.listeners[f"{names.REDIS}-0", names.REDIS_PORT] = server


@fault("cache-hit", "the registry fetched it from its upstream each time")
def nothing_kept(mirror: Deployed) -> None:
    RegistryPod(lambda: 0).listen(mirror.cluster, f"{REGISTRY}-0")


@fault("upstream-credentials", "https://registry-1.docker.io refuses the mirror's account: 401")
def revoked(mirror: Deployed) -> None:
    mirror.upstream.answers["/auth"] = Answer(401, {}, b"")


@fault("upstream-credentials", "credential.json in Secret regmirror-docker-hub-credential is no account")
def no_account(mirror: Deployed) -> None:
    mirror.replace(names.credential_secret("docker-hub"), **{"credential.json": b"{}"})


@fault("upstream-reachable", "the registry cannot ask https://registry-1.docker.io and serves what it has")
def upstream_down(mirror: Deployed) -> None:
    answer(mirror, NO_BLOB, 500, b"down")


@fault("upstream-quota", "9 of 100 pulls are left in 6 hours")
def few_pulls(mirror: Deployed) -> None:
    headers = {"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "9;w=21600"}
    mirror.upstream.answers["/v2/ratelimitpreview/test/manifests/latest"] = Answer(200, headers, b"")


@fault("clients-containerd", "?ns=docker.io without a token was answered 405 instead of a challenge")
def no_head_without_token(mirror: Deployed) -> None:
    between(mirror, lambda _, found: Answer(405, {}, b"") if found.status == 401 else found)


@fault("clients-containerd", "?ns=docker.io was answered 200 with no digest")
def no_digest(mirror: Deployed) -> None:
    between(mirror, lambda _, found: Answer(200, {}, found.body) if found.status == 200 else found)


@fault("clients-containerd", "?ns=docker.io was answered 403")
def no_registry_names(mirror: Deployed) -> None:
    between(mirror, lambda request, found: Answer(403, {}, b"") if request.method == "GET" else found)


@fault("clients-credentials", "/auth answered 200 instead of 401 to an account that exists nowhere")
def any_password(mirror: Deployed) -> None:
    mirror.host.users.add("regmirror-verify")


@fault("clients-range", "a request for one byte of a layer was answered 200 and 7 bytes")
def no_ranges(mirror: Deployed) -> None:
    answer(mirror, f"/v2/library/alpine/blobs/{digest_of(b'another')}", 200, b"another")
