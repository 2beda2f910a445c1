"""What the running Redis remembers of the bucket: a session with it, and a sample of its descriptors."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from socket import socket

from regmirror.config.model import Upstream
from regmirror.desired import names
from regmirror.desired.registry_config import blob_path, upstream_prefix
from regmirror.desired.secret_contents import look_up
from regmirror.errors import ClusterError, RegmirrorError
from regmirror.verify.live_mirror import LiveMirror
from regmirror.verify.sample_pull import sample_image, sample_platform
from regmirror.workloads.redis_protocol import ask, scan_keys

_SAMPLE = 20
_SECONDS = 5.0
"""For the search of one object in the bucket."""
_DESCRIPTOR = re.compile(r"blobs::(?P<digest>sha256:[0-9a-f]{64})")
"""The key of a descriptor (distribution v3.1.2 ``registry/storage/cache/redis/redis.go``)."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Digests of blobs that Redis remembers; ``lost`` are those of them that the bucket does not have."""

    remembered: tuple[str, ...]
    lost: tuple[str, ...]


@contextmanager
def connect_redis(live: LiveMirror) -> Iterator[socket]:
    """A connection to the running Redis; raises ClusterError if there is none."""
    running = [pod for pod in live.pods(names.REDIS) if look_up(pod, "status", "phase") == "Running"]
    if not running:
        raise ClusterError("no Redis pod is running", hint=live.deploy_hint())
    with live.cluster.connect(running[0]["metadata"]["name"], names.REDIS_PORT) as connection:
        yield connection


def log_in(live: LiveMirror, upstream: Upstream, connection: socket) -> str:
    """The answer of Redis to the password of the registry."""
    password = str(look_up(live.registry_config(upstream), "redis", "password") or "")
    return ask(connection, "AUTH", password)


def compare_with_bucket(live: LiveMirror, upstream: Upstream) -> Sample:
    """Search the bucket for some of the blobs that Redis remembers for an upstream, once. Raises RegmirrorError.

    The registry does not ask the bucket about a blob that Redis remembers: it sends the headers of a success, cannot
    read the object, and breaks off (``registry/storage/blobserver.go``).
    """
    return live.once(f"descriptors {upstream.name}", lambda: _compare(live, upstream))


def _compare(live: LiveMirror, upstream: Upstream) -> Sample:
    store = live.connections.open_store(live.s3_account(upstream))
    prefix = upstream_prefix(live.mirror.storage, upstream)
    with connect_redis(live) as connection:
        log_in(live, upstream, connection)
        ask(connection, "SELECT", str(look_up(live.registry_config(upstream), "redis", "db") or 0))
        keys = scan_keys(connection, "blobs::*", _SAMPLE)
        candidates = [match["digest"] for key in keys if (match := _DESCRIPTOR.fullmatch(key))]
        candidates = list(dict.fromkeys([*_blobs_of_image(live, upstream), *candidates]))
        remembered = [digest for digest in candidates if _is_remembered(connection, digest)]
        missing = [digest for digest in remembered if not store.measure(prefix + blob_path(digest), _SECONDS).objects]
        # A blob that has expired in the meantime is gone from both.
        lost = [digest for digest in missing if _is_remembered(connection, digest)]
    return Sample(tuple(remembered), tuple(lost))


def _blobs_of_image(live: LiveMirror, upstream: Upstream) -> list[str]:
    """The blobs of the image that other checks pull; none if there is no such image, or no manifest of it."""
    try:
        image = sample_image(live, upstream)
        return [str(blob["digest"]) for blob in sample_platform(live, upstream, image).blobs] if image else []
    except RegmirrorError:
        return []


def _is_remembered(connection: socket, digest: str) -> bool:
    return ask(connection, "HEXISTS", f"blobs::{digest}", "digest") == ":1"
