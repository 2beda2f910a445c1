"""Checks of the registry's own endpoints."""

import json
from collections.abc import Callable

from regmirror.config.model import Upstream
from regmirror.distribution.challenge import parse_challenge
from regmirror.distribution.client import MANIFEST_TYPES
from regmirror.distribution.reference import ImageReference
from regmirror.errors import RegistryError
from regmirror.ports.http import Answer
from regmirror.signing.tokens import CATALOG, Access
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, Skipped, UpstreamCheck
from regmirror.verify.hints import BETWEEN, read_log, restart_registry
from regmirror.verify.live_mirror import LiveMirror
from regmirror.verify.sample_pull import (
    NO_IMAGE,
    UNLISTED,
    probe_image,
    probe_manifest,
    pull_token,
    reaches_upstream,
    sign,
)

_CATALOG_PATH = "/v2/_catalog?n=100"


def _challenge(live: LiveMirror, upstream: Upstream) -> Outcome:
    return _challenged(live, upstream, live.client(upstream).request("GET", "/v2/"), "/v2/")


def _catalog_denied(live: LiveMirror, upstream: Upstream) -> Outcome:
    answer = live.client(upstream).request("GET", _CATALOG_PATH)
    return _challenged(live, upstream, answer, "/v2/_catalog")


def _challenged(live: LiveMirror, upstream: Upstream, answer: Answer, path: str) -> Outcome:
    stale = restart_registry(live, upstream)
    challenge = parse_challenge(answer.headers.get("www-authenticate", ""))
    if answer.status != 401:
        return Failed(f"{path} answered {answer.status} to a client without a token, instead of 401", stale)
    if challenge is None or challenge.realm != live.realm(upstream):
        sent = challenge.realm if challenge else "nowhere"
        return Failed(f"{path} sends clients to {sent} instead of {live.realm(upstream)}", stale)
    return Passed(f"401, realm {challenge.realm}")


def _catalog(live: LiveMirror, upstream: Upstream) -> Outcome:
    """Nobody has a standing right to the catalog, so the token is signed here, with the cluster's own key."""
    token = sign(live, upstream, (CATALOG,))
    answer = live.client(upstream).request("GET", _CATALOG_PATH, token)
    if answer.status >= 500 and b"s3aws" in answer.body:
        return Skipped("the store fails: see storage-bucket")
    if answer.status != 200:
        return Failed(f"/v2/_catalog answered {answer.status} to a token that grants it", read_log(live, upstream))
    try:
        repositories = json.loads(answer.body)["repositories"] or []
    except (ValueError, KeyError, TypeError):
        return Failed("/v2/_catalog answered something that is no catalog", read_log(live, upstream))
    return Passed(f"{len(repositories)} cached repositor{'y' if len(repositories) == 1 else 'ies'}")


def _readonly(live: LiveMirror, upstream: Upstream) -> Outcome:
    """An upload that its token allows; were it begun all the same, it has no content and ends with the registry."""
    token = sign(live, upstream, (Access("repository", UNLISTED.repository, ("pull", "push")),))
    answer = live.client(upstream).request("POST", f"/v2/{UNLISTED.repository}/blobs/uploads/", token)
    if answer.status not in {403, 405}:
        message = f"an upload that its token allows was answered {answer.status} instead of refused"
        return Failed(message, restart_registry(live, upstream))
    return Passed(str(answer.status))


def with_image(
    run: Callable[[LiveMirror, Upstream, ImageReference], Outcome],
) -> Callable[[LiveMirror, Upstream], Outcome]:
    """The check of an image; skipped where none is known."""

    def runwith_image(live: LiveMirror, upstream: Upstream) -> Outcome:
        image = probe_image(live, upstream)
        if image is None:
            return Skipped(NO_IMAGE)
        try:
            return run(live, upstream, image)
        except RegistryError as error:
            return Failed(error.message, error.hint or read_log(live, upstream))

    return runwith_image


def _manifest(live: LiveMirror, upstream: Upstream, image: ImageReference) -> Outcome:
    try:
        top = probe_manifest(live, upstream, image)
    except RegistryError:
        if not reaches_upstream(live, upstream):
            return Skipped("not in the cache, and the upstream cannot be asked: see upstream-reachable")
        raise
    return Passed(f"{image}, {top.digest}")


def _head(live: LiveMirror, upstream: Upstream, image: ImageReference) -> Outcome:
    path, token = f"/v2/{image.repository}/manifests/{image.reference}", pull_token(live, upstream, image)
    got, told = (live.client(upstream).request(method, path, token, MANIFEST_TYPES) for method in ("GET", "HEAD"))
    if got.status != told.status:
        return Failed(f"{path} answered GET with {got.status} and HEAD with {told.status}", BETWEEN)
    for name in ("docker-content-digest", "content-type", "content-length"):
        if got.headers.get(name) != told.headers.get(name):
            values = f"{got.headers.get(name)} to GET and {told.headers.get(name)} to HEAD"
            return Failed(f"{path} has the {name} {values}: something between changes answers", BETWEEN)
    return Passed()


def _platforms(live: LiveMirror, upstream: Upstream, image: ImageReference) -> Outcome:
    top, token = probe_manifest(live, upstream, image), pull_token(live, upstream, image)
    client = live.client(upstream)
    # The registry fetches what it does not have by GET, whatever it is asked by: attestations are not worth a pull.
    platforms = [child for child in top.children if (child.get("platform") or {}).get("os") != "unknown"]
    for child in platforms:
        client.manifest_digest(ImageReference(image.repository, child["digest"]), token)
    return Passed(f"{len(platforms) or 1} platform{'s' * (len(platforms) > 1)}")


def _tags(live: LiveMirror, upstream: Upstream, image: ImageReference) -> Outcome:
    path = f"/v2/{image.repository}/tags/list"
    answer = live.client(upstream).request("GET", path, pull_token(live, upstream, image))
    if answer.status != 200:
        return Failed(f"{path} answered {answer.status}", read_log(live, upstream))
    try:
        tags = json.loads(answer.body)["tags"] or []
    except (ValueError, KeyError, TypeError):
        return Failed(f"{path} answered something that is no list of tags", read_log(live, upstream))
    if ":" not in image.reference and not tags:
        return Failed(f"{path} is empty, though {image} can be pulled", read_log(live, upstream))
    return Passed(f"{len(tags)} tag{'s' * (len(tags) != 1)}")


CHECKS: tuple[Check, ...] = (
    UpstreamCheck(
        "registry-challenge",
        "/v2/ sends clients to our realm",
        Category.REGISTRY,
        _challenge,
        needs=("tls-route", "config-service"),
    ),
    UpstreamCheck(
        "registry-catalog-denied",
        "the catalog is closed to clients without a token",
        Category.REGISTRY,
        _catalog_denied,
        needs=("registry-challenge",),
    ),
    UpstreamCheck(
        "registry-catalog",
        "the catalog opens to a token that grants it",
        Category.REGISTRY,
        _catalog,
        needs=("token-accepted",),
    ),
    UpstreamCheck(
        "registry-readonly",
        "an upload is refused even to a token that allows it",
        Category.REGISTRY,
        _readonly,
        needs=("token-accepted", "config-safety"),
    ),
    UpstreamCheck(
        "registry-manifest",
        "a tag leads to its manifest",
        Category.REGISTRY,
        with_image(_manifest),
        needs=("registry-challenge", "token-grant"),
        limit=20.0,
    ),
    UpstreamCheck(
        "registry-head",
        "HEAD tells of a manifest what GET gives",
        Category.REGISTRY,
        with_image(_head),
        needs=("registry-manifest",),
    ),
    UpstreamCheck(
        "registry-platforms",
        "the manifest of every platform is there",
        Category.REGISTRY,
        with_image(_platforms),
        needs=("registry-manifest",),
        limit=30.0,
    ),
    UpstreamCheck(
        "registry-tags",
        "the tags of a repository are listed",
        Category.REGISTRY,
        with_image(_tags),
        needs=("registry-manifest",),
    ),
)
