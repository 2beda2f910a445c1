"""Checks that pull, and try to pull and push, as a client does."""

from regmirror.config.model import Upstream
from regmirror.errors import ConfigurationError, RegistryError
from regmirror.registry.client import Manifest, RegistryClient
from regmirror.registry.reference import ImageReference, parse_image
from regmirror.signing.tokens import decode_token
from regmirror.stack import names
from regmirror.stack.access import is_allowed
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, Skipped, UpstreamCheck
from regmirror.verify.subject import Subject

_UNLISTED = ImageReference("regmirror-probe/not-allowed", "latest")
_NO_IMAGE = "no image to pull is known: set probeImage of the upstream, or use --image NAME"


def probe_image(subject: Subject, upstream: Upstream) -> ImageReference | None:
    """The image to pull for a proof; raises ConfigurationError where clients may not pull it."""
    image = subject.image or (parse_image(upstream.probe_image) if upstream.probe_image else None)
    if image and not is_allowed(upstream, image.repository):
        raise ConfigurationError(
            f"{image} is not among the repositories of {upstream.name} that everyone may pull "
            f"({', '.join(upstream.anonymous_pull) or 'none'})",
            hint="name another image by --image or probeImage, or allow it in anonymousPull",
        )
    return image


def _pull(subject: Subject, upstream: Upstream) -> Outcome:
    image = probe_image(subject, upstream)
    if image is None:
        return Skipped(_NO_IMAGE)
    client = subject.client(upstream)
    token = client.pull_token(image.repository)
    if token and not decode_token(token).access:
        return Failed(
            f"/auth grants no pull of {image.repository}: docker_auth's ACL does not have it", "regmirror deploy"
        )
    platform = _one_platform(client, image, client.manifest(image, token), token)
    if not platform.blobs:
        return Failed(f"the manifest of {image} names no layers", "try another image: regmirror verify --image NAME")
    sizes = [client.check_blob(image.repository, blob, token) for blob in platform.blobs]
    return Passed(f"{image}: {len(sizes)} blobs, {sum(sizes):,} bytes, every digest right")


def _one_platform(client: RegistryClient, image: ImageReference, top: Manifest, token: str | None) -> Manifest:
    """The manifest itself, or of an index the one for linux/amd64, or its first."""
    if not top.children:
        return top
    wanted = [
        child
        for child in top.children
        if (child.get("platform") or {}).get("architecture") == "amd64" and child["platform"].get("os") == "linux"
    ]
    chosen = (wanted or top.children)[0]
    return client.manifest(ImageReference(image.repository, chosen["digest"]), token)


def _digest(subject: Subject, upstream: Upstream) -> Outcome:
    image = probe_image(subject, upstream)
    if image is None:
        return Skipped(_NO_IMAGE)
    mirror = subject.client(upstream)
    ours = mirror.manifest_digest(image, mirror.pull_token(image.repository))
    try:
        source = RegistryClient(subject.http, upstream.url)
        theirs = source.manifest_digest(image, source.pull_token(image.repository))
    except RegistryError as error:
        return Skipped(f"the upstream cannot be asked from here: {error.message}")
    if ours != theirs:
        return Failed(
            f"{image} is {ours} here and {theirs} at {upstream.url}: the mirror serves an old copy",
            f"see why it cannot ask its upstream: kubectl logs deployment/{names.registry(upstream.name)}",
        )
    return Passed(ours)


def _unlisted_denied(subject: Subject, upstream: Upstream) -> Outcome:
    if is_allowed(upstream, _UNLISTED.repository):
        return Skipped("anonymousPull allows every repository")
    client = subject.client(upstream)
    token = client.pull_token(_UNLISTED.repository)
    if token and decode_token(token).access:
        return Failed(
            f"/auth lets everyone pull {_UNLISTED.repository}: docker_auth's ACL is wider than the file",
            "regmirror deploy",
        )
    answer = client.request("HEAD", f"/v2/{_UNLISTED.repository}/manifests/{_UNLISTED.reference}", token)
    if answer.status != 401:
        return Failed(
            f"a pull of {_UNLISTED.repository} was answered {answer.status} instead of 401", "regmirror deploy"
        )
    return Passed("401")


def _push_denied(subject: Subject, upstream: Upstream) -> Outcome:
    repository = (probe_image(subject, upstream) or _UNLISTED).repository
    client = subject.client(upstream)
    host = subject.mirror.host_of(upstream)
    token = client.token(subject.realm(upstream), host, (f"repository:{repository}:push,pull",))
    granted = [action for access in decode_token(token).access for action in access.actions]
    if {"push", "*"} & set(granted):
        return Failed(f"/auth lets everyone push {repository}: docker_auth's ACL is too wide", "regmirror deploy")
    answer = client.request("POST", f"/v2/{repository}/blobs/uploads/", token)
    if answer.status not in {401, 403, 405}:
        return Failed(f"an upload to {repository} was answered {answer.status} instead of refused", "regmirror deploy")
    return Passed(str(answer.status))


CHECKS: tuple[Check, ...] = (
    UpstreamCheck(
        "clients-pull",
        "an allowed image pulls whole, without a login",
        Category.CLIENTS,
        _pull,
        needs=("token-accepted",),
    ),
    UpstreamCheck("clients-digest", "its digest is the upstream's", Category.CLIENTS, _digest, needs=("clients-pull",)),
    UpstreamCheck(
        "clients-unlisted-denied",
        "a repository outside the list is denied",
        Category.CLIENTS,
        _unlisted_denied,
        needs=("token-accepted",),
    ),
    UpstreamCheck("clients-push-denied", "a push is denied", Category.CLIENTS, _push_denied, needs=("token-accepted",)),
)
