"""Checks of the bucket: from here with the key that the registry uses, and as the registry's pods see it."""

import json
import time
from datetime import timedelta

from regmirror.config.model import Upstream
from regmirror.desired import names
from regmirror.desired.mirror_secrets import find_s3_account
from regmirror.desired.registry_config import storage_prefix
from regmirror.distribution.client import MANIFEST_TYPES, request_headers
from regmirror.distribution.inside_pod import get_inside_pod
from regmirror.errors import BucketMissingError, RegistryError, StorageError, StorageUnreachableError
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, Severity, Skipped, Stage, UpstreamCheck
from regmirror.verify.live_mirror import LiveMirror
from regmirror.verify.sample_pull import NO_IMAGE, probe_image, probe_platform, pull_token

_STALE = timedelta(days=1)
_SLOW = 0.1
"""Seconds. A store in the same region answers a small request in 10 to 50 ms."""
_TRIES = 3
_LIMIT = 20.0
"""Seconds: enough for a store that does not answer to be told as that."""


def _key(live: LiveMirror) -> Outcome:
    storage = live.mirror.storage
    account = find_s3_account(live.mirror, live.connections.resolver)
    if account is None:
        return Skipped("the pods have their rights from the cloud, not from a key")
    try:
        live.connections.open_store(account).check_bucket()
    except BucketMissingError:
        if not storage.create_bucket:
            raise
        return Passed(f"{storage.bucket} will be created")
    except StorageUnreachableError:
        if storage.is_inside_cluster:
            return Skipped(f"{storage.endpoint} can be reached from inside the cluster only")
        raise
    return Passed(storage.bucket)


def _bucket(live: LiveMirror, upstream: Upstream) -> Outcome:
    storage = live.mirror.storage
    account = live.s3_account(upstream)
    if account is None and storage.access_key is None:
        return Skipped("the pods have their rights from the cloud, not from a key")
    if account is None:
        return Failed("the registry's configuration lacks its S3 key", "regmirror deploy")
    try:
        live.connections.open_store(account).check_bucket()
    except StorageError as error:
        if storage.is_inside_cluster and isinstance(error, StorageUnreachableError):
            return Skipped(f"{storage.endpoint} can be reached from inside the cluster only")
        return Failed(error.message, f"{error.hint or 'see the state of the store'}; then regmirror deploy")
    return Passed(storage.bucket)


def _pods(live: LiveMirror, upstream: Upstream) -> Outcome:
    release = names.registry(upstream.name)
    for pod in live.pods(release):
        name = pod["metadata"]["name"]
        answer = get_inside_pod(live.cluster, name, names.REGISTRY_DEBUG_PORT, "/debug/health")
        if answer.status != 200:
            return Failed(
                f"pod {name} says of its store: {_reasons(answer.body)}",
                "check storage in the file, and that the pods may reach the store; then regmirror deploy",
            )
    return Passed(f"{len(live.pods(release))} pod{'s' * (len(live.pods(release)) != 1)}")


def _reasons(body: bytes) -> str:
    try:
        return "; ".join(str(reason)[:200] for reason in json.loads(body).values())
    except (ValueError, AttributeError):
        return "something that makes no sense"


def _speed(live: LiveMirror, upstream: Upstream) -> Outcome:
    image = probe_image(live, upstream)
    if image is None:
        return Skipped(NO_IMAGE)
    path = f"/v2/{image.repository}/manifests/{probe_platform(live, upstream, image).digest}"
    headers = request_headers(pull_token(live, upstream, image), MANIFEST_TYPES)
    pods = [pod["metadata"]["name"] for pod in live.pods(names.registry(upstream.name))]
    seconds = max((_seconds_for_bucket(live, pod, path, headers) for pod in pods), default=0.0)
    if seconds > _SLOW:
        return Failed(
            f"the bucket takes {seconds * 1000:.0f} ms to give the registry a manifest; a pull waits for several such",
            "see the store's own state, and whether it is far away or limits the mirror's requests",
        )
    return Passed(f"{seconds * 1000:.0f} ms for a manifest")


def _seconds_for_bucket(live: LiveMirror, pod: str, path: str, headers: dict[str, str]) -> float:
    """How long a pod waits for the bucket when it is asked for a manifest, by which it differs from another question.

    To a client that has the manifest the registry says so, and looks nowhere. Its metrics would not tell: what it reads
    is not counted. Source: distribution v3.1.2 ``registry/handlers/manifests.go``, ``registry/storage/driver/base``.
    """
    known = headers | {"If-None-Match": path.rpartition("/")[2]}
    return max(0.0, _seconds(live, pod, path, headers, 200) - _seconds(live, pod, path, known, 304))


def _seconds(live: LiveMirror, pod: str, path: str, headers: dict[str, str], expected: int) -> float:
    """The shortest time that a pod's own answer took: what makes one slower is the way there, more often than not."""
    found = []
    for _ in range(_TRIES):
        began = time.monotonic()
        status = get_inside_pod(live.cluster, pod, names.REGISTRY_PORT, path, headers).status
        found.append(time.monotonic() - began)
        if status != expected:
            raise RegistryError(f"pod {pod} answered {status} instead of {expected} for {path}")
    return min(found)


def _redirect(live: LiveMirror, upstream: Upstream) -> Outcome:
    if not live.mirror.storage.redirect:
        return Passed("off: layers come through the registry")
    image = probe_image(live, upstream)
    if image is None:
        return Passed("on; no image is known to try it with")
    blob = probe_platform(live, upstream, image).blobs[0]["digest"]
    answer = live.client(upstream).request(
        "GET", f"/v2/{image.repository}/blobs/{blob}", pull_token(live, upstream, image)
    )
    location = answer.headers.get("location", "")
    if answer.status != 307 or not location:
        return Passed(f"on; this layer was answered {answer.status}")
    turn_off = "set storage.redirect: false, or give clients a way to the store; regmirror deploy"
    try:
        status = live.http.request("GET", location).status
    except RegistryError as error:
        return Failed(f"clients are sent to the store, which cannot be reached from here: {error.message}", turn_off)
    return Passed(location.split("?")[0]) if status == 200 else Failed(f"the store answered {status}", turn_off)


def _uploads(live: LiveMirror, upstream: Upstream) -> Outcome:
    prefix = storage_prefix(live.mirror.storage, upstream).lstrip("/")
    store = live.connections.open_store(live.s3_account(upstream))
    stale = store.count_stale_uploads(prefix, live.now() - _STALE)
    if stale:
        return Failed(
            f"{stale} uploads to the bucket were never finished; they are paid for, and no list shows them",
            "give the bucket a lifecycle rule with AbortIncompleteMultipartUpload after a day",
        )
    return Passed()


def _lifecycle(live: LiveMirror, upstream: Upstream) -> Outcome:
    prefix = storage_prefix(live.mirror.storage, upstream).lstrip("/") + "/"
    try:
        rules = live.connections.open_store(live.s3_account(upstream)).rules_that_take(prefix)
    except StorageError as error:
        return Skipped(f"the bucket's lifecycle rules cannot be seen: {error.message}")
    if rules:
        return Failed(
            f"lifecycle rules of the bucket delete or archive what the registry counts on: {', '.join(rules)}",
            f"take them from {prefix} in the bucket: the registry itself removes what is older than registry.ttl",
        )
    return Passed()


CHECKS: tuple[Check, ...] = (
    Check(
        "storage-key",
        "the bucket accepts the S3 key of the file",
        Category.STORAGE,
        _key,
        stage=Stage.BEFORE,
        limit=_LIMIT,
    ),
    UpstreamCheck(
        "storage-bucket",
        "the bucket accepts the registry's S3 key",
        Category.STORAGE,
        _bucket,
        needs=("cluster-permissions",),
        limit=_LIMIT,
    ),
    UpstreamCheck(
        "storage-pods",
        "the registry's pods reach the bucket",
        Category.STORAGE,
        _pods,
        needs=("cluster-pods", "storage-bucket"),
    ),
    UpstreamCheck(
        "storage-speed",
        "the bucket answers the registry quickly",
        Category.STORAGE,
        _speed,
        needs=("storage-pods", "registry-manifest", "cache-password"),
        severity=Severity.WARNING,
    ),
    UpstreamCheck(
        "storage-redirect",
        "clients reach the store that they are sent to",
        Category.STORAGE,
        _redirect,
        needs=("registry-manifest",),
    ),
    UpstreamCheck(
        "storage-uploads",
        "no upload to the bucket was left unfinished",
        Category.STORAGE,
        _uploads,
        needs=("storage-bucket",),
        severity=Severity.WARNING,
        limit=_LIMIT,
    ),
    UpstreamCheck(
        "storage-lifecycle",
        "no rule of the bucket takes the mirror's objects away",
        Category.STORAGE,
        _lifecycle,
        needs=("storage-bucket",),
        severity=Severity.WARNING,
        limit=_LIMIT,
    ),
)
