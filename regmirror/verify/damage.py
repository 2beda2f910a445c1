"""Content of an image that is damaged or lost: how a check finds it, and how to replace it."""

from collections.abc import Mapping
from typing import Any

from regmirror.config.model import Upstream
from regmirror.desired.registry_config import blob_path, upstream_prefix
from regmirror.distribution.client import DigestMismatchError, ManifestMissingError, RegistryClient
from regmirror.distribution.reference import ImageReference
from regmirror.errors import RegistryError, RegmirrorError
from regmirror.verify.check import Failed, Skipped
from regmirror.verify.hints import fetch_again
from regmirror.verify.live_mirror import LiveMirror
from regmirror.verify.redis_memory import compare_with_bucket
from regmirror.verify.sample_pull import can_reach_upstream, pull_token, upstream_client


def check_blob(live: LiveMirror, upstream: Upstream, image: ImageReference, descriptor: Mapping[str, Any]) -> int:
    """Pull a blob of the image as an anonymous client, and return its size in bytes.

    Raises DigestMismatchError if its content is damaged, or RegistryError. The layer cache never completes a damaged
    blob, so its clients only see an answer that ends early. The bucket shows why, if this machine may read it.
    """
    try:
        return live.client(upstream).check_blob(image.repository, descriptor, pull_token(live, upstream, image))
    except DigestMismatchError:
        raise
    except RegistryError as error:
        digest = str(descriptor["digest"])
        if _is_damaged_in_bucket(live, upstream, digest):
            message = f"{error.message}: its content in the bucket does not match the digest"
            raise DigestMismatchError(message, digest) from error
        raise


def _is_damaged_in_bucket(live: LiveMirror, upstream: Upstream, digest: str) -> bool:
    try:
        account = live.s3_account(upstream)
        if account is None:
            return False
        store = live.connections.open_store(account)
        found = store.sha256(upstream_prefix(live.mirror.storage, upstream) + blob_path(digest))
    except RegmirrorError:
        return False
    return found not in {None, digest.removeprefix("sha256:")}


def blob_problem(
    live: LiveMirror, upstream: Upstream, image: ImageReference, error: RegistryError
) -> Failed | Skipped | None:
    """The outcome of a check that did not get all of the image; None if only ``error`` says why."""
    if isinstance(error, DigestMismatchError):
        return Failed(error.message, damage_hint(live, upstream, image, error.digest))
    if _has_lost_layers(live, upstream):
        return Skipped("the bucket has lost layers that Redis remembers: see storage-cache-agrees")
    if not can_reach_upstream(live, upstream):
        return Skipped("not all of the image is in the cache: see upstream-reachable")
    return None


def _has_lost_layers(live: LiveMirror, upstream: Upstream) -> bool:
    """Whether another check names the cause; not if this machine may not read the bucket."""
    try:
        return live.s3_account(upstream) is not None and bool(compare_with_bucket(live, upstream).lost)
    except RegmirrorError:
        return False


def damage_hint(live: LiveMirror, upstream: Upstream, image: ImageReference, digest: str) -> str:
    """How to replace a manifest or blob that does not match its digest; asks the upstream where the damage is."""
    try:
        _fetch(upstream_client(live, upstream, live.upstream_account(upstream)), image.repository, digest)
    except DigestMismatchError:
        return f"report it to {upstream.url}, which sends the same wrong content; the mirror does not keep it"
    except RegmirrorError:
        pass
    return fetch_again(live, upstream, digest)


def _fetch(client: RegistryClient, repository: str, digest: str) -> None:
    token = client.pull_token(repository)
    try:
        client.manifest(ImageReference(repository, digest), token)
    except ManifestMissingError:
        client.check_blob(repository, {"digest": digest}, token)
