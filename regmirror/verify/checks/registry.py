"""Checks of the registry's own endpoints."""

import json

from regmirror.config.model import Upstream
from regmirror.distribution.challenge import parse_challenge
from regmirror.distribution.client import MANIFEST_TYPES, DigestMismatchError, ManifestMissingError, NoRegistryError
from regmirror.distribution.reference import ImageReference
from regmirror.distribution.store_health import blames_store
from regmirror.errors import RegistryError
from regmirror.ports.http import Answer
from regmirror.signing.tokens import CATALOG, Access
from regmirror.verify.check import Category, CheckList, Failed, Outcome, Passed, Skipped
from regmirror.verify.damage import blob_problem, check_blob, damage_hint
from regmirror.verify.hints import PROXY_HINT, read_log, restart_registry, see_store
from regmirror.verify.live_mirror import LiveMirror
from regmirror.verify.sample_pull import (
    UNLISTED,
    can_reach_upstream,
    platforms_of,
    pull_token,
    sample_manifest,
    sign,
    upstream_digest,
    with_image,
)

_CATALOG_PATH = "/v2/_catalog?n=100"

check = CheckList(Category.REGISTRY)


@check("registry-challenge", "/v2/ sends clients to the mirror's token endpoint", needs=("tls-route", "config-service"))
def _challenge(live: LiveMirror, upstream: Upstream) -> Outcome:
    return _challenged(live, upstream, live.client(upstream).request("GET", "/v2/"), "/v2/")


@check("registry-catalog-denied", "the catalog is denied without a token", needs=("registry-challenge",))
def _catalog_denied(live: LiveMirror, upstream: Upstream) -> Outcome:
    answer = live.client(upstream).request("GET", _CATALOG_PATH)
    return _challenged(live, upstream, answer, "/v2/_catalog")


def _challenged(live: LiveMirror, upstream: Upstream, answer: Answer, path: str) -> Outcome:
    stale = restart_registry(live, upstream)
    challenge = parse_challenge(answer.headers.get("www-authenticate", ""))
    if answer.status != 401:
        return Failed(f"{path} answered {answer.status} instead of 401 to a client without a token", stale)
    if challenge is None:
        return Failed(f"{path} answered 401 without a token endpoint in WWW-Authenticate", stale)
    if challenge.realm != live.realm(upstream):
        return Failed(f"{path} sends clients to {challenge.realm} instead of {live.realm(upstream)}", stale)
    return Passed(f"401, realm {challenge.realm}")


@check("registry-catalog", "the catalog is served to a token that grants it", needs=("token-accepted",), part="auth")
def _catalog(live: LiveMirror, upstream: Upstream) -> Outcome:
    """No client ever gets access to the catalog, so the token is signed here with the cluster's own key."""
    token = sign(live, upstream, (CATALOG,))
    answer = live.client(upstream).request("GET", _CATALOG_PATH, token)
    if blames_store(answer):
        return Skipped(see_store(live, "cannot be read"))
    if answer.status != 200:
        return Failed(f"/v2/_catalog answered {answer.status} to a token that grants it", read_log(live, upstream))
    try:
        repositories = json.loads(answer.body)["repositories"] or []
    except (ValueError, KeyError, TypeError):
        return Failed("/v2/_catalog answered with something other than a catalog", read_log(live, upstream))
    return Passed(f"{len(repositories)} cached repositor{'y' if len(repositories) == 1 else 'ies'}")


@check(
    "registry-readonly",
    "uploads are refused even with a push token",
    needs=("token-accepted", "config-safety"),
    part="auth",
)
def _readonly(live: LiveMirror, upstream: Upstream) -> Outcome:
    """Starts an upload that the token allows; if it were accepted, it would have no content and end with the pod."""
    token = sign(live, upstream, (Access("repository", UNLISTED.repository, ("pull", "push")),))
    answer = live.client(upstream).request("POST", f"/v2/{UNLISTED.repository}/blobs/uploads/", token)
    if answer.status not in {403, 405}:
        message = f"the registry answered {answer.status} to an upload with a push token, instead of refusing it"
        return Failed(message, restart_registry(live, upstream))
    return Passed(str(answer.status))


@check("registry-manifest", "a tag resolves to its manifest", needs=("registry-challenge", "token-grant"), limit=20.0)
@with_image
def _manifest(live: LiveMirror, upstream: Upstream, image: ImageReference) -> Outcome:
    try:
        top = sample_manifest(live, upstream, image)
    except DigestMismatchError as error:
        return Failed(error.message, damage_hint(live, upstream, image, error.digest))
    except RegistryError as error:
        if isinstance(error, ManifestMissingError) and _is_missing_upstream(live, upstream, image):
            return Failed(
                f"neither the cache nor {upstream.url} has {image} (404)",
                "use an image that exists, with --image or probeImage",
            )
        if not can_reach_upstream(live, upstream):
            return Skipped("the image is not in the cache: see upstream-reachable")
        raise
    return Passed(top.digest)


def _is_missing_upstream(live: LiveMirror, upstream: Upstream, image: ImageReference) -> bool:
    try:
        upstream_digest(live, upstream, image)
    except (ManifestMissingError, NoRegistryError):
        return True
    except RegistryError:
        return False
    return False


@check("registry-head", "HEAD and GET agree on a manifest", needs=("registry-manifest",))
@with_image
def _head(live: LiveMirror, upstream: Upstream, image: ImageReference) -> Outcome:
    path, token = f"/v2/{image.repository}/manifests/{image.reference}", pull_token(live, upstream, image)
    get, head = (live.client(upstream).request(method, path, token, MANIFEST_TYPES) for method in ("GET", "HEAD"))
    if get.status != head.status:
        return Failed(f"{path} answered {get.status} to GET and {head.status} to HEAD", PROXY_HINT)
    for name in ("docker-content-digest", "content-type", "content-length"):
        if get.headers.get(name) != head.headers.get(name):
            values = f"{get.headers.get(name)} for GET and {head.headers.get(name)} for HEAD"
            return Failed(f"{path} has the {name} {values}", PROXY_HINT)
    return Passed()


@check(
    "registry-platforms",
    "the manifests of all platforms are available",
    needs=("registry-manifest",),
    limit=30.0,
)
@with_image
def _platforms(live: LiveMirror, upstream: Upstream, image: ImageReference) -> Outcome:
    top, token = sample_manifest(live, upstream, image), pull_token(live, upstream, image)
    client = live.client(upstream)
    platforms = platforms_of(top)
    for child in platforms:
        client.manifest_digest(ImageReference(image.repository, child["digest"]), token)
    return Passed(f"{len(platforms) or 1} platform{'s' * (len(platforms) > 1)}")


@check(
    "registry-digests",
    "every manifest and configuration matches its digest",
    needs=("registry-platforms",),
    limit=60.0,
)
@with_image
def _digests(live: LiveMirror, upstream: Upstream, image: ImageReference) -> Outcome:
    """Reads the bytes of every platform: the registry does not hash what it reads from its own bucket."""
    client, token = live.client(upstream), pull_token(live, upstream, image)
    try:
        top = sample_manifest(live, upstream, image)
        wanted = [top.digest, *(child["digest"] for child in platforms_of(top))]
        manifests = [client.manifest(ImageReference(image.repository, digest), token) for digest in wanted]
        configurations = [manifest.content["config"] for manifest in manifests if "config" in manifest.content]
        for configuration in configurations:
            check_blob(live, upstream, image, configuration)
    except RegistryError as error:
        if problem := blob_problem(live, upstream, image, error):
            return problem
        raise
    return Passed(f"{len(manifests)} manifests, {len(configurations)} configurations")


@check("registry-tags", "the tags of a repository can be listed", needs=("registry-manifest",))
@with_image
def _tags(live: LiveMirror, upstream: Upstream, image: ImageReference) -> Outcome:
    path = f"/v2/{image.repository}/tags/list"
    answer = live.client(upstream).request("GET", path, pull_token(live, upstream, image))
    if answer.status != 200:
        return Failed(f"{path} answered {answer.status}", read_log(live, upstream))
    try:
        tags = json.loads(answer.body)["tags"] or []
    except (ValueError, KeyError, TypeError):
        return Failed(f"{path} answered with something other than a list of tags", read_log(live, upstream))
    if ":" not in image.reference and not tags:
        return Failed(f"{path} is empty, although {image} can be pulled", read_log(live, upstream))
    return Passed(f"{len(tags)} tag{'s' * (len(tags) != 1)}")
