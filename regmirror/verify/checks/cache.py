"""Checks of the cache: Redis through a port-forward, because it is not reachable from outside, and what it is for."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket

from regmirror.config.model import Upstream
from regmirror.desired import names
from regmirror.distribution.inside_pod import get_inside_pod
from regmirror.distribution.metrics import CacheFigures, cache_figures, parse_metrics
from regmirror.errors import ClusterError, RegistryError
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, Skipped, UpstreamCheck
from regmirror.verify.hints import read_log, restart
from regmirror.verify.live_mirror import LiveMirror, look_up
from regmirror.verify.redis_protocol import ask, ask_setting
from regmirror.verify.sample_pull import NO_IMAGE, probe_image, probe_platform, pull_token

_TRIES = 20
_PAUSE = 0.1
"""Seconds between two tries: a layer is in the cache a moment after its first client has it."""


def _password(live: LiveMirror, upstream: Upstream) -> Outcome:
    try:
        return _ping(live, upstream)
    except ClusterError as error:
        return Failed(error.message, error.hint or restart(live, names.REDIS))


def _ping(live: LiveMirror, upstream: Upstream) -> Outcome:
    with _redis(live) as connection:
        answer = _log_in(live, upstream, connection)
        if not answer.startswith("+OK"):
            return Failed(
                f"Redis refuses the registry's password ({answer[1:].split(' ')[0]}): every request goes to S3 instead",
                f"regmirror deploy; if that finds nothing to do, {restart(live, names.REDIS)}",
            )
        answer = ask(connection, "PING")
    if answer != "+PONG":
        return Failed(f"Redis answers {answer[1:]} to PING", restart(live, names.REDIS))
    return Passed()


def _policy(live: LiveMirror, upstream: Upstream) -> Outcome:
    with _redis(live) as connection:
        _log_in(live, upstream, connection)
        # A key of a millisecond: only a write tells whether there is room for one.
        written = ask(connection, "SET", "regmirror:verify", "1", "PX", "1")
        policy, memory = (ask_setting(connection, name) for name in ("maxmemory-policy", "maxmemory"))
    if written.startswith("-"):
        return Failed(f"Redis remembers nothing new: {written[1:]}", restart(live, names.REDIS))
    if policy is None or memory is None:
        return Skipped("Redis does not tell its settings")
    if policy != "allkeys-lru" or memory == "0":
        return Failed(
            f"Redis runs with maxmemory-policy {policy} and maxmemory {memory}: when it is full, nothing new is "
            "remembered, or its pod is killed",
            restart(live, names.REDIS),
        )
    return Passed(f"{policy}, {int(memory) // 2**20} MiB")


@contextmanager
def _redis(live: LiveMirror) -> Iterator[socket]:
    running = [pod for pod in live.pods(names.REDIS) if look_up(pod, "status", "phase") == "Running"]
    if not running:
        raise ClusterError("no Redis pod is running", hint="regmirror deploy")
    with live.cluster.connect(running[0]["metadata"]["name"], names.REDIS_PORT) as connection:
        yield connection


def _log_in(live: LiveMirror, upstream: Upstream, connection: socket) -> str:
    password = str(look_up(live.registry_config(upstream), "redis", "password") or "")
    return ask(connection, "AUTH", password)


def _hit(live: LiveMirror, upstream: Upstream) -> Outcome:
    image = probe_image(live, upstream)
    if image is None:
        return Skipped(NO_IMAGE)
    client, token = live.client(upstream), pull_token(live, upstream, image)
    blobs = probe_platform(live, upstream, image).blobs
    if not blobs:
        return Skipped(f"the manifest of {image} names no layers")
    smallest = min(blobs, key=lambda blob: int(blob.get("size", 0)))
    before = _figures(live, upstream)
    for _ in range(_TRIES):
        try:
            client.check_blob(image.repository, smallest, token)
        except RegistryError:
            return Skipped("the layer cannot be pulled: see clients-pull")
        after = _figures(live, upstream)
        if after.hits > before.hits:
            return Passed(f"{after.hits} hits, {after.misses} misses since the pods began")
        time.sleep(_PAUSE)
    return Failed(
        f"a layer was asked for {_TRIES} times, and the registry fetched it from its upstream each time",
        read_log(live, upstream),
    )


def _figures(live: LiveMirror, upstream: Upstream) -> CacheFigures:
    total = CacheFigures()
    for pod in live.pods(names.registry(upstream.name)):
        answer = get_inside_pod(live.cluster, pod["metadata"]["name"], names.REGISTRY_DEBUG_PORT, "/metrics")
        total += cache_figures(parse_metrics(answer.body.decode(errors="replace")))
    return total


CHECKS: tuple[Check, ...] = (
    UpstreamCheck(
        "cache-password", "Redis accepts the registry's password", Category.CACHE, _password, needs=("cluster-pods",)
    ),
    UpstreamCheck(
        "cache-policy",
        "Redis forgets the oldest when it is full",
        Category.CACHE,
        _policy,
        needs=("cache-password", "config-redis"),
    ),
    UpstreamCheck(
        "cache-hit",
        "a layer that was pulled comes from the cache",
        Category.CACHE,
        _hit,
        needs=("cluster-pods", "registry-manifest", "config-registry"),
        limit=60.0,
    ),
)
