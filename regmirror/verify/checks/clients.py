"""Checks that pull, and try to push, as container runtimes do."""

import time

from regmirror.config.model import Upstream
from regmirror.desired import names
from regmirror.desired.access import is_refused, refused_samples
from regmirror.distribution.challenge import parse_challenge
from regmirror.distribution.client import (
    MANIFEST_TYPES,
    ManifestMissingError,
    NoRegistryError,
    RegistryClient,
    request_headers,
)
from regmirror.distribution.reference import ImageReference
from regmirror.errors import RegistryError
from regmirror.signing.tokens import decode_token
from regmirror.verify.check import Category, CheckList, Failed, Outcome, Passed, Skipped, Warned
from regmirror.verify.damage import blob_problem, check_blob
from regmirror.verify.hints import PROXY_HINT, fix_auth, read_log, restart, restart_registry
from regmirror.verify.live_mirror import LiveMirror
from regmirror.verify.sample_pull import (
    UNLISTED,
    pull_token,
    sample_platform,
    sample_repository,
    upstream_digest,
    with_image,
)

_TRIES = 20
_PAUSE = 0.1
"""Seconds between two tries: range requests work a moment after the first client has received the whole layer."""
UNKNOWN_ACCOUNT = ("regmirror-verify", "no-password")
"""An account that does not exist anywhere."""

check = CheckList(Category.CLIENTS)


@check("clients-pull", "an allowed image can be pulled anonymously", needs=("registry-manifest",), limit=300.0)
@with_image
def _pull(live: LiveMirror, upstream: Upstream, image: ImageReference) -> Outcome:
    try:
        platform = sample_platform(live, upstream, image)
        if not platform.blobs:
            return Failed(f"the manifest of {image} has no layers", "use another image with --image or probeImage")
        sizes = [check_blob(live, upstream, image, blob) for blob in platform.blobs]
    except RegistryError as error:
        if problem := blob_problem(live, upstream, image, error):
            return problem
        raise
    return Passed(f"{image}: {len(sizes)} blobs, {sum(sizes):,} bytes, all digests match")


@check("clients-range", "range requests work", needs=("clients-pull",))
@with_image
def _range(live: LiveMirror, upstream: Upstream, image: ImageReference) -> Outcome:
    """While a layer is being fetched, a range request gets all of it; once it is cached, it must get the part."""
    smallest = min(sample_platform(live, upstream, image).blobs, key=lambda blob: int(blob.get("size", 0)))
    url = f"{live.client(upstream).base}/v2/{image.repository}/blobs/{smallest['digest']}"
    headers = {"Range": "bytes=0-0"} | request_headers(pull_token(live, upstream, image))
    for _ in range(_TRIES):
        answer = live.http.request("GET", url, headers)
        if answer.status in {206, 307}:
            return Passed(str(answer.status))
        time.sleep(_PAUSE)
    message = f"a request for one byte of a layer was answered with {answer.status} and {len(answer.body)} bytes"
    return Failed(message, PROXY_HINT)


@check("clients-digest", "the image digest matches the upstream", needs=("clients-pull", "upstream-reachable"))
@with_image
def _digest(live: LiveMirror, upstream: Upstream, image: ImageReference) -> Outcome:
    ours = live.client(upstream).manifest_digest(image, pull_token(live, upstream, image))
    try:
        theirs = upstream_digest(live, upstream, image)
    except ManifestMissingError:
        return Warned(
            f"{upstream.url} no longer has {image} (404); the mirror serves its cached copy",
            "use another image with --image or probeImage, and stop using this one before it expires from the cache",
        )
    except NoRegistryError:
        return Warned(
            f"{upstream.url} answers 404 even to /v2/, as if no registry were there; the mirror serves its cached copy "
            f"of {image}",
            "check upstreams[].url; if the upstream has moved, set its new URL, then run regmirror deploy",
        )
    except RegistryError as error:
        return Skipped(f"cannot compare with the upstream: {error.message}")
    if ours != theirs:
        return Failed(
            f"the mirror serves an outdated {image}: {ours} here, {theirs} at {upstream.url}",
            read_log(live, upstream),
        )
    return Passed(ours)


@check(
    "clients-unlisted-denied",
    "pulls that are not allowed are denied",
    needs=("registry-challenge", "token-accepted", "config-access"),
    limit=60.0,
)
def _unlisted_denied(live: LiveMirror, upstream: Upstream) -> Outcome:
    unlisted = [UNLISTED.repository] if is_refused(upstream, UNLISTED.repository) else []
    samples = dict.fromkeys(unlisted, "anonymousPull does not allow") | refused_samples(upstream)
    if not samples:
        return Skipped("anonymousPull allows every repository")
    client = live.client(upstream)
    for repository, rule in samples.items():
        token = client.pull_token(repository)
        if token and decode_token(token).access:
            return _grants_more(live, upstream, repository, rule)
        answer = client.request("HEAD", f"/v2/{repository}/manifests/{UNLISTED.reference}", token)
        if answer.status != 401:
            message = f"a pull of {repository} was answered with {answer.status} instead of 401"
            return Failed(message, restart_registry(live, upstream))
    return Passed("401")


def _grants_more(live: LiveMirror, upstream: Upstream, repository: str, rule: str) -> Outcome:
    if live.mirror.auth.external:
        return Warned(
            f"{live.realm(upstream)} grants everyone the pull of {repository}, which {rule}",
            "change the access rules of docker_auth, or what the file allows",
        )
    return Failed(
        f"/auth grants everyone the pull of {repository}, which {rule}",
        restart(live, names.AUTH),
    )


@check("clients-push-denied", "pushes are denied", needs=("token-accepted", "config-access"))
def _push_denied(live: LiveMirror, upstream: Upstream) -> Outcome:
    repository = sample_repository(live, upstream)
    client = live.client(upstream)
    service = live.mirror.service_of(upstream)
    token = client.token(live.realm(upstream), service, (f"repository:{repository}:push,pull",))
    granted = [action for access in decode_token(token).access for action in access.actions]
    if {"push", "*"} & set(granted):
        return Failed(f"{live.realm(upstream)} grants everyone the push of {repository}", fix_auth(live))
    answer = client.request("POST", f"/v2/{repository}/blobs/uploads/", token)
    if answer.status not in {401, 403, 405}:
        message = f"the registry answered {answer.status} to an upload to {repository}, instead of refusing it"
        return Failed(message, restart_registry(live, upstream))
    return Passed(str(answer.status))


@check("clients-containerd", "containerd can pull", needs=("registry-manifest",))
@with_image
def _containerd(live: LiveMirror, upstream: Upstream, image: ImageReference) -> Outcome:
    """HEAD by tag, first without a token, then GET by digest; every path names the original registry.

    If the mirror answers with anything but 200 or 401, containerd pulls from the upstream (containerd v2
    ``core/remotes/docker/resolver.go``).
    """
    client = live.client(upstream)
    path = _with_namespace(f"/v2/{image.repository}/manifests/{image.reference}", upstream)
    refused = client.request("HEAD", path, None, (*MANIFEST_TYPES, "*/*"))
    challenge = parse_challenge(refused.headers.get("www-authenticate", ""))
    if refused.status != 401 or challenge is None:
        message = f"HEAD {path} without a token was answered with {refused.status} instead of a challenge"
        return Failed(message, PROXY_HINT)
    token = client.token(challenge.realm, challenge.service, (f"repository:{image.repository}:pull",))
    head = client.request("HEAD", path, token, (*MANIFEST_TYPES, "*/*"))
    digest = head.headers.get("docker-content-digest", "")
    if head.status != 200 or not digest:
        return Failed(f"HEAD {path} was answered with {head.status} and {digest or 'no digest'}", PROXY_HINT)
    path = _with_namespace(f"/v2/{image.repository}/manifests/{digest}", upstream)
    get = client.request("GET", path, token, (*MANIFEST_TYPES, "*/*"))
    if get.status != 200:
        return Failed(f"GET {path} was answered with {get.status}", PROXY_HINT)
    return Passed(f"{image}, as {upstream.registry_name}")


def _with_namespace(path: str, upstream: Upstream) -> str:
    """The path with the name of the registry that the client wants, as containerd sends it to a mirror."""
    return f"{path}?ns={upstream.registry_name}"


@check(
    "clients-credentials",
    "credentials for another registry are refused",
    needs=("registry-challenge", "token-issued", "config-users"),
)
def _credentials(live: LiveMirror, upstream: Upstream) -> Outcome:
    """Some clients send the mirror credentials that belong to the upstream; only the answer shows that they fail."""
    client = RegistryClient(live.http, live.client(upstream).base, UNKNOWN_ACCOUNT)
    status = client.ask_token(live.realm(upstream), live.mirror.service_of(upstream)).status
    if status != 401:
        message = f"/auth answered {status} instead of 401 to an account that does not exist"
        return Failed(message, fix_auth(live))
    return Passed("401")
