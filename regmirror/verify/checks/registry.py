"""Checks of the registry's own endpoints."""

import json
from collections.abc import Callable

from regmirror.config.model import Upstream
from regmirror.errors import RegistryError
from regmirror.ports.http import Answer
from regmirror.registry.challenge import parse_challenge
from regmirror.registry.client import MANIFEST_TYPES
from regmirror.registry.reference import ImageReference
from regmirror.signing.tokens import CATALOG, Access
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, Skipped, UpstreamCheck
from regmirror.verify.cures import BETWEEN, read_log, restart_registry
from regmirror.verify.probe import (
    NO_IMAGE,
    UNLISTED,
    probe_image,
    probe_manifest,
    pull_token,
    reaches_upstream,
    sign,
)
from regmirror.verify.subject import Subject

_CATALOG_PATH = "/v2/_catalog?n=100"


def _challenge(subject: Subject, upstream: Upstream) -> Outcome:
    return _challenged(subject, upstream, subject.client(upstream).request("GET", "/v2/"), "/v2/")


def _catalog_denied(subject: Subject, upstream: Upstream) -> Outcome:
    answer = subject.client(upstream).request("GET", _CATALOG_PATH)
    return _challenged(subject, upstream, answer, "/v2/_catalog")


def _challenged(subject: Subject, upstream: Upstream, answer: Answer, path: str) -> Outcome:
    stale = restart_registry(subject, upstream)
    challenge = parse_challenge(answer.headers.get("www-authenticate", ""))
    if answer.status != 401:
        return Failed(f"{path} answered {answer.status} to a client without a token, instead of 401", stale)
    if challenge is None or challenge.realm != subject.realm(upstream):
        sent = challenge.realm if challenge else "nowhere"
        return Failed(f"{path} sends clients to {sent} instead of {subject.realm(upstream)}", stale)
    return Passed(f"401, realm {challenge.realm}")


def _catalog(subject: Subject, upstream: Upstream) -> Outcome:
    """Nobody has a standing right to the catalog, so the token is signed here, with the cluster's own key."""
    token = sign(subject, upstream, (CATALOG,))
    answer = subject.client(upstream).request("GET", _CATALOG_PATH, token)
    if answer.status >= 500 and b"s3aws" in answer.body:
        return Skipped("the store fails: see storage-bucket")
    if answer.status != 200:
        return Failed(f"/v2/_catalog answered {answer.status} to a token that grants it", read_log(subject, upstream))
    try:
        repositories = json.loads(answer.body)["repositories"] or []
    except (ValueError, KeyError, TypeError):
        return Failed("/v2/_catalog answered something that is no catalog", read_log(subject, upstream))
    return Passed(f"{len(repositories)} cached repositor{'y' if len(repositories) == 1 else 'ies'}")


def _readonly(subject: Subject, upstream: Upstream) -> Outcome:
    """An upload that its token allows; were it begun all the same, it has no content and ends with the registry."""
    token = sign(subject, upstream, (Access("repository", UNLISTED.repository, ("pull", "push")),))
    answer = subject.client(upstream).request("POST", f"/v2/{UNLISTED.repository}/blobs/uploads/", token)
    if answer.status not in {403, 405}:
        message = f"an upload that its token allows was answered {answer.status} instead of refused"
        return Failed(message, restart_registry(subject, upstream))
    return Passed(str(answer.status))


def with_image(
    run: Callable[[Subject, Upstream, ImageReference], Outcome],
) -> Callable[[Subject, Upstream], Outcome]:
    """The check of an image; skipped where none is known."""

    def runwith_image(subject: Subject, upstream: Upstream) -> Outcome:
        image = probe_image(subject, upstream)
        if image is None:
            return Skipped(NO_IMAGE)
        try:
            return run(subject, upstream, image)
        except RegistryError as error:
            return Failed(error.message, error.hint or read_log(subject, upstream))

    return runwith_image


def _manifest(subject: Subject, upstream: Upstream, image: ImageReference) -> Outcome:
    try:
        top = probe_manifest(subject, upstream, image)
    except RegistryError:
        if not reaches_upstream(subject, upstream):
            return Skipped("not in the cache, and the upstream cannot be asked: see upstream-reachable")
        raise
    return Passed(f"{image}, {top.digest}")


def _head(subject: Subject, upstream: Upstream, image: ImageReference) -> Outcome:
    path, token = f"/v2/{image.repository}/manifests/{image.reference}", pull_token(subject, upstream, image)
    got, told = (subject.client(upstream).request(method, path, token, MANIFEST_TYPES) for method in ("GET", "HEAD"))
    if got.status != told.status:
        return Failed(f"{path} answered GET with {got.status} and HEAD with {told.status}", BETWEEN)
    for name in ("docker-content-digest", "content-type", "content-length"):
        if got.headers.get(name) != told.headers.get(name):
            values = f"{got.headers.get(name)} to GET and {told.headers.get(name)} to HEAD"
            return Failed(f"{path} has the {name} {values}: something between changes answers", BETWEEN)
    return Passed()


def _platforms(subject: Subject, upstream: Upstream, image: ImageReference) -> Outcome:
    top, token = probe_manifest(subject, upstream, image), pull_token(subject, upstream, image)
    client = subject.client(upstream)
    # The registry fetches what it does not have by GET, whatever it is asked by: attestations are not worth a pull.
    platforms = [child for child in top.children if (child.get("platform") or {}).get("os") != "unknown"]
    for child in platforms:
        client.manifest_digest(ImageReference(image.repository, child["digest"]), token)
    return Passed(f"{len(platforms) or 1} platform{'s' * (len(platforms) > 1)}")


def _tags(subject: Subject, upstream: Upstream, image: ImageReference) -> Outcome:
    path = f"/v2/{image.repository}/tags/list"
    answer = subject.client(upstream).request("GET", path, pull_token(subject, upstream, image))
    if answer.status != 200:
        return Failed(f"{path} answered {answer.status}", read_log(subject, upstream))
    try:
        tags = json.loads(answer.body)["tags"] or []
    except (ValueError, KeyError, TypeError):
        return Failed(f"{path} answered something that is no list of tags", read_log(subject, upstream))
    if ":" not in image.reference and not tags:
        return Failed(f"{path} is empty, though {image} can be pulled", read_log(subject, upstream))
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
