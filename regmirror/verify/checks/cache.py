"""Checks of Redis, through a port-forward, and of the cache as a whole."""

import time
from collections.abc import Mapping
from typing import NamedTuple

from regmirror.config.model import Upstream
from regmirror.desired import names
from regmirror.distribution.client import request_headers
from regmirror.distribution.inside_pod import get_inside_pod
from regmirror.distribution.metrics import redis_lookups, store_lookups
from regmirror.distribution.reference import ImageReference
from regmirror.errors import ClusterError
from regmirror.verify.check import Category, CheckList, Failed, Outcome, Passed, Skipped
from regmirror.verify.hints import deploy, fix_redis, read_log, restart_redis
from regmirror.verify.live_mirror import LiveMirror
from regmirror.verify.redis_log import redis_problem
from regmirror.verify.redis_memory import connect_redis, log_in
from regmirror.verify.sample_pull import pull_token, sample_platform, with_image
from regmirror.workloads.redis_protocol import ask, ask_setting

_TRIES = 20
_PAUSE = 0.1
"""Seconds between two tries: a layer is in the cache a moment after the first client has received it."""
_LOOKUPS = 3
"""The registry gives Redis 0.1 s; one answer that is late, on a busy node, is not a failure."""

check = CheckList(Category.CACHE)


@check("cache-password", "the registry can log in to Redis", needs=("cluster-pods",), part="redis")
def _password(live: LiveMirror, upstream: Upstream) -> Outcome:
    try:
        return _ping(live, upstream)
    except ClusterError as error:
        return Failed(error.message, error.hint or restart_redis(live))


def _ping(live: LiveMirror, upstream: Upstream) -> Outcome:
    with connect_redis(live) as connection:
        answer = log_in(live, upstream, connection)
        if not answer.startswith("+OK"):
            return Failed(
                f"Redis refuses the registry's password ({answer[1:].split(' ')[0]}), so every request goes to S3",
                f"{deploy(live)}; if nothing changes, {restart_redis(live)}",
            )
        answer = ask(connection, "PING")
    if answer != "+PONG":
        return Failed(f"Redis answers {answer[1:]} to PING", restart_redis(live))
    return Passed()


@check(
    "cache-policy",
    "Redis evicts the oldest keys when it is full",
    needs=("cache-password", "config-redis"),
    part="redis",
)
def _policy(live: LiveMirror, upstream: Upstream) -> Outcome:
    with connect_redis(live) as connection:
        log_in(live, upstream, connection)
        # A key that lives for a millisecond: only a write shows whether there is room for one.
        written = ask(connection, "SET", "regmirror:verify", "1", "PX", "1")
        policy, memory = (ask_setting(connection, name) for name in ("maxmemory-policy", "maxmemory"))
    if written.startswith("-"):
        return Failed(f"Redis does not store new keys: {written[1:]}", restart_redis(live))
    if policy is None or memory is None:
        return Skipped("Redis does not return its settings")
    if policy != "allkeys-lru" or memory == "0":
        return Failed(
            f"Redis runs with maxmemory-policy {policy} and maxmemory {memory}: when its memory is full, it stores no "
            "new keys or its pod is killed",
            restart_redis(live),
        )
    return Passed(f"{policy}, {int(memory) // 2**20} MiB")


@check(
    "cache-hit",
    "a pulled layer is served from the bucket",
    needs=("cluster-pods", "registry-manifest", "config-registry"),
    limit=60.0,
)
@with_image
def _hit(live: LiveMirror, upstream: Upstream, image: ImageReference) -> Outcome:
    layer = _smallest_layer(live, upstream, image)
    if layer is None:
        return Skipped(f"the manifest of {image} has no layers")
    pod = layer.pod
    before = store_lookups(live.cluster, pod, names.REGISTRY_DEBUG_PORT)
    for _ in range(_TRIES):
        if not _is_sent(live, layer):
            return Skipped("the registry does not send the layer: see clients-pull and storage-cache-agrees")
        after = store_lookups(live.cluster, pod, names.REGISTRY_DEBUG_PORT)
        if after.hits > before.hits:
            return Passed(f"{after.hits} hits, {after.misses} misses since pod {pod} started")
        time.sleep(_PAUSE)
    return Failed(
        f"a layer was pulled {_TRIES} times, and the registry fetched it from its upstream each time",
        read_log(live, upstream),
    )


class _LayerRequest(NamedTuple):
    """A request for a layer to the registry itself.

    The front would serve the layer from its own disk, and hide a bucket that takes none.
    """

    pod: str
    path: str
    headers: Mapping[str, str]


def _smallest_layer(live: LiveMirror, upstream: Upstream, image: ImageReference) -> _LayerRequest | None:
    """The request for the smallest layer of an image; None if it has no layers."""
    blobs = sample_platform(live, upstream, image).blobs
    if not blobs:
        return None
    smallest = min(blobs, key=lambda blob: int(blob.get("size", 0)))
    return _LayerRequest(
        live.pods(names.registry(upstream.name))[0]["metadata"]["name"],
        f"/v2/{image.repository}/blobs/{smallest['digest']}",
        request_headers(pull_token(live, upstream, image)),
    )


@check("cache-lookups", "the registry's lookups in Redis succeed", needs=("cache-hit", "cache-password"))
@with_image
def _lookups(live: LiveMirror, upstream: Upstream, image: ImageReference) -> Outcome:
    """Counted by the registry itself, so this holds for every Redis, wherever it is."""
    layer = _smallest_layer(live, upstream, image)
    if layer is None:
        return Skipped(f"the manifest of {image} has no layers")
    pod = layer.pod
    for _ in range(_LOOKUPS):
        before = redis_lookups(live.cluster, pod, names.REGISTRY_DEBUG_PORT)
        if not _is_sent(live, layer):
            return Skipped("the registry does not send the layer: see clients-pull and storage-cache-agrees")
        after = redis_lookups(live.cluster, pod, names.REGISTRY_DEBUG_PORT)
        if after.total == before.total:
            return Failed("the registry sent a layer without a lookup in Redis", read_log(live, upstream))
        if after.errors == before.errors:
            return Passed(f"{after.total} lookups, {after.errors} errors since pod {pod} started")
    return Failed(
        f"Redis does not answer the registry{redis_problem(live, pod)}, so every request goes to the store",
        fix_redis(live),
    )


def _is_sent(live: LiveMirror, layer: _LayerRequest) -> bool:
    """Whether the registry sends a whole layer, or redirects to it."""
    try:
        answer = get_inside_pod(live.cluster, layer.pod, names.REGISTRY_PORT, layer.path, layer.headers)
        return answer.status in {200, 307}
    except ClusterError:
        return False
