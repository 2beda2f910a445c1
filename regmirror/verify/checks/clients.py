"""Checks that pull, and try to pull and push, as a client does."""

import time

from regmirror.config.model import Upstream
from regmirror.desired import names
from regmirror.desired.access import is_allowed
from regmirror.desired.registry_config import blob_path, storage_prefix
from regmirror.distribution.client import DamagedBlobError, Manifest, request_headers
from regmirror.distribution.reference import ImageReference
from regmirror.errors import RegistryError
from regmirror.signing.tokens import decode_token
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, Skipped, UpstreamCheck
from regmirror.verify.hints import BETWEEN, kubectl, read_log, restart, restart_registry
from regmirror.verify.live_mirror import LiveMirror
from regmirror.verify.sample_pull import (
    NO_IMAGE,
    UNLISTED,
    probe_image,
    probe_platform,
    probe_repository,
    pull_token,
    reaches_upstream,
    source_of,
)

_TRIES = 20
_PAUSE = 0.1
"""Seconds between two tries: a layer can be served in part a moment after its first client has it whole."""


def _pull(live: LiveMirror, upstream: Upstream) -> Outcome:
    image = probe_image(live, upstream)
    if image is None:
        return Skipped(NO_IMAGE)
    try:
        platform = probe_platform(live, upstream, image)
        if not platform.blobs:
            return Failed(f"the manifest of {image} names no layers", "name another image by --image")
        sizes = _pull_blobs(live, upstream, image, platform)
    except DamagedBlobError as error:
        return Failed(error.message, _fetch_again(live, upstream, error.digest))
    except RegistryError as error:
        if not reaches_upstream(live, upstream):
            return Skipped("not all in the cache, and the upstream cannot be asked: see upstream-reachable")
        return Failed(error.message, error.hint or read_log(live, upstream))
    return Passed(f"{image}: {len(sizes)} blobs, {sum(sizes):,} bytes, every digest right")


def _fetch_again(live: LiveMirror, upstream: Upstream, digest: str) -> str:
    """Without its object, and without Redis' memory of it, the registry fetches a blob as if it were new."""
    storage = live.mirror.storage
    url = f"s3://{storage.bucket}{storage_prefix(storage, upstream)}/{blob_path(digest)}"
    service = f" --endpoint-url {storage.endpoint}" if storage.endpoint else ""
    forget = f"{kubectl(live)} rollout restart deployment/{names.REDIS}"
    return f"have it fetched again: aws s3{service} rm {url}; {forget}"


def _pull_blobs(live: LiveMirror, upstream: Upstream, image: ImageReference, platform: Manifest) -> list[int]:
    client, token = live.client(upstream), pull_token(live, upstream, image)
    return [client.check_blob(image.repository, blob, token) for blob in platform.blobs]


def _range(live: LiveMirror, upstream: Upstream) -> Outcome:
    """A layer that is just being fetched is given whole; once it is in the cache, a part of it must be had."""
    image = probe_image(live, upstream)
    if image is None:
        return Skipped(NO_IMAGE)
    smallest = min(probe_platform(live, upstream, image).blobs, key=lambda blob: int(blob.get("size", 0)))
    url = f"{live.client(upstream).base}/v2/{image.repository}/blobs/{smallest['digest']}"
    headers = {"Range": "bytes=0-0"} | request_headers(pull_token(live, upstream, image))
    for _ in range(_TRIES):
        answer = live.http.request("GET", url, headers)
        if answer.status in {206, 307}:
            return Passed(str(answer.status))
        time.sleep(_PAUSE)
    return Failed(
        f"a request for one byte of a layer was answered {answer.status} and {len(answer.body)} bytes",
        BETWEEN,
    )


def _digest(live: LiveMirror, upstream: Upstream) -> Outcome:
    image = probe_image(live, upstream)
    if image is None:
        return Skipped(NO_IMAGE)
    ours = live.client(upstream).manifest_digest(image, pull_token(live, upstream, image))
    try:
        source = source_of(live, upstream)
        theirs = source.manifest_digest(image, source.pull_token(image.repository))
    except RegistryError as error:
        return Skipped(f"the upstream cannot be asked from here: {error.message}")
    if ours != theirs:
        return Failed(
            f"{image} is {ours} here and {theirs} at {upstream.url}: the mirror serves an old copy",
            read_log(live, upstream),
        )
    return Passed(ours)


def _unlisted_denied(live: LiveMirror, upstream: Upstream) -> Outcome:
    if is_allowed(upstream, UNLISTED.repository):
        return Skipped("anonymousPull allows every repository")
    client = live.client(upstream)
    token = client.pull_token(UNLISTED.repository)
    if token and decode_token(token).access:
        return Failed(
            f"/auth lets everyone pull {UNLISTED.repository}: docker_auth's ACL is wider than the file",
            restart(live, names.AUTH),
        )
    answer = client.request("HEAD", f"/v2/{UNLISTED.repository}/manifests/{UNLISTED.reference}", token)
    if answer.status != 401:
        return Failed(
            f"a pull of {UNLISTED.repository} was answered {answer.status} instead of 401",
            restart_registry(live, upstream),
        )
    return Passed("401")


def _push_denied(live: LiveMirror, upstream: Upstream) -> Outcome:
    repository = probe_repository(live, upstream)
    client = live.client(upstream)
    host = live.mirror.host_of(upstream)
    token = client.token(live.realm(upstream), host, (f"repository:{repository}:push,pull",))
    granted = [action for access in decode_token(token).access for action in access.actions]
    if {"push", "*"} & set(granted):
        message = f"/auth lets everyone push {repository}: docker_auth's ACL is too wide"
        return Failed(message, restart(live, names.AUTH))
    answer = client.request("POST", f"/v2/{repository}/blobs/uploads/", token)
    if answer.status not in {401, 403, 405}:
        message = f"an upload to {repository} was answered {answer.status} instead of refused"
        return Failed(message, restart_registry(live, upstream))
    return Passed(str(answer.status))


CHECKS: tuple[Check, ...] = (
    UpstreamCheck(
        "clients-pull",
        "an allowed image pulls whole, without a login",
        Category.CLIENTS,
        _pull,
        needs=("registry-manifest",),
        limit=300.0,
    ),
    UpstreamCheck("clients-range", "a part of a layer can be had", Category.CLIENTS, _range, needs=("clients-pull",)),
    UpstreamCheck(
        "clients-digest",
        "its digest is the upstream's",
        Category.CLIENTS,
        _digest,
        needs=("clients-pull", "upstream-reachable"),
    ),
    UpstreamCheck(
        "clients-unlisted-denied",
        "a repository outside the list is denied",
        Category.CLIENTS,
        _unlisted_denied,
        needs=("registry-challenge", "token-accepted", "config-access"),
    ),
    UpstreamCheck(
        "clients-push-denied",
        "a push is denied",
        Category.CLIENTS,
        _push_denied,
        needs=("token-accepted", "config-access"),
    ),
)
