"""Checks of the bucket: from this machine with the registry's key, and from the registry's pods."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import TypeVar, cast

from regmirror.config.model import Upstream
from regmirror.desired import names
from regmirror.desired.mirror_secrets import find_s3_account
from regmirror.desired.ownership import CLUSTER_NAMESPACE, Owner, owner_key, parse_owner
from regmirror.desired.registry_config import upstream_prefix
from regmirror.distribution.client import MANIFEST_TYPES, request_headers
from regmirror.distribution.inside_pod import get_inside_pod
from regmirror.distribution.reference import ImageReference
from regmirror.errors import BucketMissingError, RegistryError, StorageError, StorageUnreachableError, VolumeError
from regmirror.errors.documentation import guide_url
from regmirror.ports.cluster import namespace_uids
from regmirror.verify.check import Category, CheckList, Failed, NotApplicable, Outcome, Passed, Severity, Skipped, Stage
from regmirror.verify.hints import deploy, restart_redis, then_deploy
from regmirror.verify.live_mirror import LiveMirror
from regmirror.verify.redis_memory import compare_with_bucket
from regmirror.verify.sample_pull import pull_token, sample_image, sample_platform, with_image
from regmirror.verify.store_from_pods import NO_KEY, ask_pods, problem_in_pods
from regmirror.workloads.volume import check_volumes

_STALE = timedelta(days=1)
_SLOW = 0.1
"""Seconds. A store in the same region answers a small request in 10 to 50 ms."""
_TRIES = 3
_LIMIT = 20.0
"""Seconds: enough to find out that a store does not answer."""
_CLOUD = "the pods get their permissions from the cloud provider, not from a key"
_VOLUME = "the data is on a volume, not in a bucket"
Run = TypeVar("Run", bound=Callable[..., Outcome])

check = CheckList(Category.STORAGE)


def of_bucket(run: Run) -> Run:
    """The check, skipped if the data is on a volume."""

    @wraps(run)
    def skip_volume(live: LiveMirror, *upstream: Upstream) -> Outcome:
        return Skipped(_VOLUME) if live.mirror.storage.filesystem else run(live, *upstream)

    return cast("Run", skip_volume)


@check("storage-volume", "the volumes can be used or created", stage=Stage.PRE_INSTALL)
def _volume(live: LiveMirror) -> Outcome:
    filesystem = live.mirror.storage.filesystem
    if filesystem is None:
        return Passed("none: the data is in a bucket")
    try:
        return Passed(check_volumes(live.mirror, filesystem, live.cluster))
    except VolumeError as error:
        return Failed(error.message, error.hint or "")


@check("storage-key", "the configured S3 key can use the bucket", stage=Stage.PRE_INSTALL, limit=_LIMIT)
@of_bucket
def _key(live: LiveMirror) -> Outcome:
    storage = live.mirror.storage
    account = find_s3_account(live.mirror, live.connections.resolver)
    if account is None:
        return Skipped(_CLOUD)
    try:
        live.connections.open_store(account).check_bucket()
    except BucketMissingError as error:
        if storage.create_bucket:
            return Passed(f"{storage.bucket} will be created")
        return Failed(error.message, _create_bucket(live))
    except StorageUnreachableError as error:
        return Skipped(f"{error.message}; regmirror deploy checks the bucket from a pod")
    return Passed(storage.place)


@check("storage-bucket", "the registry's S3 key can use the bucket", needs=("cluster-deployed",), limit=_LIMIT)
@of_bucket
def _bucket(live: LiveMirror, upstream: Upstream) -> Outcome:
    storage = live.mirror.storage
    account = live.s3_account(upstream)
    if account is None and storage.access_key is None:
        return _bucket_from_pods(live, upstream)
    if account is None:
        return Failed("the registry's configuration has no S3 key", deploy(live))
    try:
        live.connections.open_store(account).check_bucket()
    except BucketMissingError as error:
        return Failed(error.message, _create_bucket(live))
    except StorageUnreachableError as error:
        return ask_pods(live, upstream, error)
    except StorageError as error:
        return Failed(error.message, then_deploy(live, error.hint or "check that the object store is healthy"))
    return Passed(storage.place)


def _bucket_from_pods(live: LiveMirror, upstream: Upstream) -> Outcome:
    """With a cloud role: only the pods have it, not this machine."""
    if live.mirror.auth.external:
        return Skipped(NO_KEY)
    pods = live.ready_pods(names.registry(upstream.name))
    if not pods:
        return Skipped("no pod of the registry is ready, and only pods have the cloud role")
    action = f"check the cloud role of the pods' ServiceAccount: {guide_url('cloud-role')}"
    if problem := problem_in_pods(live, upstream, pods, lambda _: action):
        return problem
    return Passed(f"{live.mirror.storage.bucket}, by the cloud role of {len(pods)} pod{'s' * (len(pods) != 1)}")


@check(
    "storage-owner",
    "the data in the bucket belongs to this mirror",
    needs=("storage-bucket",),
    limit=_LIMIT,
)
@of_bucket
def _owner(live: LiveMirror, upstream: Upstream) -> Outcome:
    if live.s3_account(upstream) is None:
        return Skipped(_CLOUD)
    storage = live.mirror.storage
    content = live.connections.open_store(live.s3_account(upstream)).read(owner_key(storage, upstream))
    if content is None:
        return Passed("no owner is recorded")
    owner = parse_owner(content)
    uids = live.once("namespace UIDs", lambda: namespace_uids(live.cluster, CLUSTER_NAMESPACE))
    current = Owner(live.mirror.host, live.mirror.namespace, uids)
    if owner.is_other_mirror(current):
        prefix = upstream_prefix(storage, upstream)
        return Failed(
            f"{prefix} in the bucket {storage.bucket} belongs to {owner.describe(current)}",
            _separate(live),
        )
    if not owner.is_same_mirror(current):
        return Passed(f"{owner.host}; its cluster is not compared: no permission to read namespaces")
    return Passed(upstream_prefix(storage, upstream))


def _separate(live: LiveMirror) -> str:
    hint = then_deploy(live, "set another storage.prefix in the file of one of the two mirrors")
    if live.is_managed_by_gitops():
        return hint
    return f"{hint}; or, if the other mirror no longer uses the data, run regmirror deploy --take-over"


def _create_bucket(live: LiveMirror) -> str:
    """How to get the missing bucket: deploy creates it if the file says so, which a GitOps mirror never runs."""
    storage = live.mirror.storage
    if storage.create_bucket and not live.is_managed_by_gitops():
        return "create it: regmirror deploy"
    endpoint = f" --endpoint-url {storage.endpoint}" if storage.endpoint else ""
    command = f"aws s3{endpoint} mb s3://{storage.bucket} --region {storage.region}"
    if live.is_managed_by_gitops():
        return f"create it: {command}"
    return f"create it: {command}; or set storage.createBucket: true, then run regmirror deploy"


@check(
    "storage-pods", "the registry's pods can reach their storage", needs=("cluster-pods",), after=("storage-bucket",)
)
def _pods(live: LiveMirror, upstream: Upstream) -> Outcome:
    if live.mirror.auth.external:
        return NotApplicable(NO_KEY)
    pods = live.pods(names.registry(upstream.name))
    if problem := problem_in_pods(live, upstream, pods, _pods_hint):
        return problem
    return Passed(f"{len(pods)} pod{'s' * (len(pods) != 1)}")


def _pods_hint(reasons: str) -> str:
    if "x509:" in reasons:
        return "for a private CA, set storage.caBundle"
    return "check the storage section of the file, and that pods can reach the endpoint"


@check(
    "storage-cache-agrees",
    "the bucket has the layers that Redis remembers",
    needs=("storage-bucket", "cache-password"),
    limit=_LIMIT,
    part="redis",
)
@of_bucket
def _cache_agrees(live: LiveMirror, upstream: Upstream) -> Outcome:
    if live.s3_account(upstream) is None:
        return Skipped(_CLOUD)
    sample = compare_with_bucket(live, upstream)
    remembered = len(sample.remembered)
    if sample.lost:
        lost, example = len(sample.lost), sample.lost[0]
        return Failed(
            f"the bucket does not have {lost} of {remembered} objects that Redis remembers, such as {example}: "
            "pulls of them break off",
            f"{restart_redis(live)}; the registry then fetches them again",
        )
    if not remembered:
        return Passed("Redis remembers nothing of this upstream")
    return Passed(f"{remembered} object{'s' * (remembered > 1)} compared")


@check(
    "storage-speed",
    "the bucket responds quickly",
    needs=("storage-pods", "registry-manifest", "cache-password"),
    severity=Severity.WARNING,
)
@with_image
def _speed(live: LiveMirror, upstream: Upstream, image: ImageReference) -> Outcome:
    path = f"/v2/{image.repository}/manifests/{sample_platform(live, upstream, image).digest}"
    headers = request_headers(pull_token(live, upstream, image), MANIFEST_TYPES)
    pods = [pod["metadata"]["name"] for pod in live.pods(names.registry(upstream.name))]
    seconds = max((_seconds_for_bucket(live, pod, path, headers) for pod in pods), default=0.0)
    if seconds > _SLOW:
        return Failed(
            f"the bucket takes {seconds * 1000:.0f} ms to return a manifest; every pull needs several such requests",
            "check whether the object store is overloaded, far away, or limits the mirror's requests",
        )
    return Passed(f"{seconds * 1000:.0f} ms for a manifest")


def _seconds_for_bucket(live: LiveMirror, pod: str, path: str, headers: dict[str, str]) -> float:
    """How long a pod waits for the bucket: what a request for a manifest takes longer than one that needs no bucket.

    If a client has the manifest already, the registry answers without reading the bucket. Its metrics do not count
    reads. Source: distribution v3.1.2 ``registry/handlers/manifests.go``, ``registry/storage/driver/base``.
    """
    known = headers | {"If-None-Match": path.rpartition("/")[2]}
    return max(0.0, _seconds(live, pod, path, headers, 200) - _seconds(live, pod, path, known, 304))


def _seconds(live: LiveMirror, pod: str, path: str, headers: dict[str, str], expected: int) -> float:
    """The shortest response time of a pod in several tries: longer ones are usually due to the network."""
    found = []
    for _ in range(_TRIES):
        began = time.monotonic()
        status = get_inside_pod(live.cluster, pod, names.REGISTRY_PORT, path, headers).status
        found.append(time.monotonic() - began)
        if status != expected:
            raise RegistryError(f"pod {pod} answered {status} instead of {expected} for {path}")
    return min(found)


@check("storage-redirect", "clients can reach the store they are redirected to", needs=("registry-manifest",))
def _redirect(live: LiveMirror, upstream: Upstream) -> Outcome:
    if not live.mirror.storage.redirect:
        return Passed("off: the registry serves layers itself")
    image = sample_image(live, upstream)
    if image is None:
        return Passed("on, but not tried: no image to pull")
    client, blob = live.client(upstream), sample_platform(live, upstream, image).blobs[0]["digest"]
    path = f"/v2/{image.repository}/blobs/{blob}"
    answer = client.request("GET", path, pull_token(live, upstream, image))
    location = answer.headers.get("location", "")
    if answer.status != 307 or not location:
        return Passed(f"on; this layer was answered with {answer.status}")
    turn_off = then_deploy(live, "make the object store reachable for clients, or set storage.redirect: false")
    try:
        status = live.http.request("GET", client.redirect_target(client.base + path, location)).status
    except RegistryError as error:
        return Failed(f"this machine cannot reach the store that clients are redirected to: {error.message}", turn_off)
    if status != 200:
        return Failed(f"the store that clients are redirected to answered {status}", turn_off)
    return Passed(location.split("?")[0])


@check(
    "storage-uploads",
    "the bucket has no unfinished uploads",
    needs=("storage-bucket",),
    severity=Severity.WARNING,
    limit=_LIMIT,
)
@of_bucket
def _uploads(live: LiveMirror, upstream: Upstream) -> Outcome:
    if live.s3_account(upstream) is None:
        return Skipped(_CLOUD)
    prefix = upstream_prefix(live.mirror.storage, upstream)
    store = live.connections.open_store(live.s3_account(upstream))
    stale = store.count_stale_uploads(prefix, live.now() - _STALE)
    if stale:
        return Failed(
            f"unfinished uploads in the bucket: {stale}; they incur cost but do not appear in object listings",
            "add a lifecycle rule to the bucket with AbortIncompleteMultipartUpload after one day",
        )
    return Passed()


@check(
    "storage-lifecycle",
    "no lifecycle rule deletes the mirror's objects",
    needs=("storage-bucket",),
    severity=Severity.WARNING,
    limit=_LIMIT,
)
@of_bucket
def _lifecycle(live: LiveMirror, upstream: Upstream) -> Outcome:
    if live.s3_account(upstream) is None:
        return Skipped(_CLOUD)
    prefix = upstream_prefix(live.mirror.storage, upstream)
    try:
        rules = live.connections.open_store(live.s3_account(upstream)).rules_that_take(prefix)
    except StorageError as error:
        return Skipped(f"cannot read the lifecycle rules: {error.message}")
    if rules:
        return Failed(
            f"lifecycle rules delete or archive objects that the registry expects in the bucket: {', '.join(rules)}",
            f"exclude {prefix} from these rules: registry.ttl already removes old objects",
        )
    return Passed()
