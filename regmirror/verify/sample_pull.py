"""Sample requests that checks send to the mirror: an image to pull, a layer that does not exist, tokens signed here."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from regmirror.config.access_decision import refusal
from regmirror.config.images import pulled_image
from regmirror.config.model import Upstream
from regmirror.distribution.client import Manifest, RegistryClient
from regmirror.distribution.reference import ImageReference
from regmirror.errors import ConfigurationError, RegistryError
from regmirror.ports.http import Answer
from regmirror.signing.tokens import Access, Claims, sign_token
from regmirror.verify.check import Failed, Outcome, Skipped
from regmirror.verify.hints import read_log
from regmirror.verify.live_mirror import LiveMirror, NotDeployedError

UNLISTED = ImageReference("regmirror-probe/not-allowed", "latest")
NO_IMAGE = "no image to pull: set probeImage, or use --image library/alpine:3"
_NO_BLOB = f"sha256:{'0' * 64}"


def parse_image(text: str) -> ImageReference:
    """Parse ``alpine``, ``library/alpine:3``, ``docker.io/acme/tool@sha256:...``; raises ConfigurationError.

    A name without a slash is an official image, known to the API as ``library/NAME``; without a tag it is ``latest``.
    The grammar is that of distribution's ``reference`` package.
    """
    try:
        return ImageReference(*pulled_image(text))
    except ValueError as error:
        raise ConfigurationError(str(error)) from None


def sample_image(live: LiveMirror, upstream: Upstream) -> ImageReference | None:
    """The image to pull; None if none is configured. Raises ConfigurationError if anonymous clients may not pull it."""
    image = live.image or (parse_image(upstream.probe_image) if upstream.probe_image else None)
    if image and (problem := refusal(upstream, image.repository)):
        raise ConfigurationError(
            f"upstream {upstream.name}: {problem}",
            hint="set probeImage (or --image) to an allowed image such as library/alpine:3, or change the patterns",
        )
    return image


def with_image(
    run: Callable[[LiveMirror, Upstream, ImageReference], Outcome],
) -> Callable[[LiveMirror, Upstream], Outcome]:
    """The function of a check that pulls an image; it is skipped if no image is configured."""

    def run_with_image(live: LiveMirror, upstream: Upstream) -> Outcome:
        image = sample_image(live, upstream)
        if image is None:
            return Skipped(NO_IMAGE)
        try:
            return run(live, upstream, image)
        except RegistryError as error:
            return Failed(error.message, error.hint or read_log(live, upstream))

    return run_with_image


def sample_repository(live: LiveMirror, upstream: Upstream) -> str:
    """The repository of the image to pull; one that does not exist if there is no such image."""
    try:
        return (sample_image(live, upstream) or UNLISTED).repository
    except ConfigurationError:
        return UNLISTED.repository


def pull_token(live: LiveMirror, upstream: Upstream, image: ImageReference) -> str | None:
    """An anonymous client's token for the image, fetched once."""
    key = f"pull token {upstream.name} {image.repository}"
    return live.once(key, lambda: live.client(upstream).pull_token(image.repository))


def sample_manifest(live: LiveMirror, upstream: Upstream, image: ImageReference) -> Manifest:
    """The manifest or index of the image as the mirror serves it, fetched once."""
    token = pull_token(live, upstream, image)
    return live.once(f"manifest {upstream.name}", lambda: live.client(upstream).manifest(image, token))


def sample_platform(live: LiveMirror, upstream: Upstream, image: ImageReference) -> Manifest:
    """The manifest itself, or of an index the manifest for linux/amd64 (else the first one); fetched once."""
    top = sample_manifest(live, upstream, image)
    if not top.children:
        return top
    wanted = [
        child
        for child in top.children
        if (child.get("platform") or {}).get("architecture") == "amd64" and child["platform"].get("os") == "linux"
    ]
    chosen = ImageReference(image.repository, (wanted or top.children)[0]["digest"])
    token = pull_token(live, upstream, image)
    return live.once(f"platform {upstream.name}", lambda: live.client(upstream).manifest(chosen, token))


def platforms_of(index: Manifest) -> list[dict[str, Any]]:
    """The descriptors of an index that are platforms; none of a manifest.

    Attestations are left out: the registry fetches a missing manifest with GET, which counts as a pull.
    """
    return [child for child in index.children if (child.get("platform") or {}).get("os") != "unknown"]


def ask_upstream_through_mirror(live: LiveMirror, upstream: Upstream) -> Answer:
    """The mirror's answer for a layer that does not exist, asked once: 404 if the mirror could ask its upstream.

    A tag would not show that: if the upstream fails, the registry answers from its cache, or 404. The upstream receives
    a HEAD, which no rate limit counts. Source: distribution v3.1.2 ``registry/proxy/proxyblobstore.go``.
    """
    repository = sample_repository(live, upstream)
    if live.mirror.auth.external:
        token = live.client(upstream).pull_token(repository)
    else:
        token = sign(live, upstream, (Access("repository", repository, ("pull",)),))
    path = f"/v2/{repository}/blobs/{_NO_BLOB}"
    return live.once(f"no blob {upstream.name}", lambda: live.client(upstream).request("GET", path, token))


def can_reach_upstream(live: LiveMirror, upstream: Upstream) -> bool:
    """Whether the mirror can ask its upstream."""
    try:
        return ask_upstream_through_mirror(live, upstream).status == 404
    except RegistryError:
        return False


def upstream_client(live: LiveMirror, upstream: Upstream, account: tuple[str, str] | None = None) -> RegistryClient:
    """The upstream itself, as this machine reaches it by the way of the registry."""
    return RegistryClient(live.upstream_http(upstream), upstream.url, account)


def upstream_digest(live: LiveMirror, upstream: Upstream, image: ImageReference) -> str:
    """The digest of the image at the upstream, asked once with the account that the registry uses.

    Raises ManifestMissingError if the upstream does not have the image, NoRegistryError, or RegistryError.
    """

    def ask() -> str:
        try:
            account = live.upstream_account(upstream)
        except NotDeployedError:
            account = None
        client = upstream_client(live, upstream, account)
        return client.manifest_digest(image, client.pull_token(image.repository))

    return live.once(f"upstream digest {upstream.name}", ask)


def sign(
    live: LiveMirror,
    upstream: Upstream,
    access: tuple[Access, ...],
    *,
    service: str | None = None,
    age: timedelta = timedelta(0),
) -> str:
    """A token for one minute, signed here with the cluster's own key, for access that no client ever gets."""
    claims = Claims(
        issuer=live.mirror.issuer,
        service=service or live.mirror.service_of(upstream),
        subject="regmirror verify",
        access=access,
        issued_at=live.now() - age,
        lifetime=timedelta(minutes=1),
        token_id=secrets.token_hex(8),
    )
    return sign_token(claims, live.signing_key())
