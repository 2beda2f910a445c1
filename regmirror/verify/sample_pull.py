"""What the mirror is asked for as a proof: an image that it may serve, a layer that nobody has, tokens made here."""

import secrets
from datetime import timedelta

from regmirror.config.model import Upstream
from regmirror.desired.access import is_allowed
from regmirror.distribution.client import Manifest, RegistryClient
from regmirror.distribution.reference import ImageReference, parse_image
from regmirror.errors import ConfigurationError, RegistryError
from regmirror.ports.http import Answer
from regmirror.signing.tokens import Access, Claims, sign_token
from regmirror.verify.live_mirror import LiveMirror

UNLISTED = ImageReference("regmirror-probe/not-allowed", "latest")
NO_IMAGE = "no image to pull is known: set probeImage of the upstream, or use --image NAME"
_NO_BLOB = f"sha256:{'0' * 64}"


def probe_image(live: LiveMirror, upstream: Upstream) -> ImageReference | None:
    """The image to pull for a proof; raises ConfigurationError where clients may not pull it."""
    image = live.image or (parse_image(upstream.probe_image) if upstream.probe_image else None)
    if image and not is_allowed(upstream, image.repository):
        raise ConfigurationError(
            f"{image} is not among the repositories of {upstream.name} that everyone may pull "
            f"({', '.join(upstream.anonymous_pull) or 'none'})",
            hint="name another image by --image or probeImage, or allow it in anonymousPull",
        )
    return image


def probe_repository(live: LiveMirror, upstream: Upstream) -> str:
    """A repository to ask about: that of the image to pull, or where there is no such image, one that nobody has."""
    try:
        return (probe_image(live, upstream) or UNLISTED).repository
    except ConfigurationError:
        return UNLISTED.repository


def pull_token(live: LiveMirror, upstream: Upstream, image: ImageReference) -> str | None:
    """An anonymous client's token for the image, fetched once."""
    key = f"pull token {upstream.name} {image.repository}"
    return live.once(key, lambda: live.client(upstream).pull_token(image.repository))


def probe_manifest(live: LiveMirror, upstream: Upstream, image: ImageReference) -> Manifest:
    """The manifest or index of the image as the mirror serves it, fetched once."""
    token = pull_token(live, upstream, image)
    return live.once(f"manifest {upstream.name}", lambda: live.client(upstream).manifest(image, token))


def probe_platform(live: LiveMirror, upstream: Upstream, image: ImageReference) -> Manifest:
    """The manifest itself, or of an index the one for linux/amd64, or its first; fetched once."""
    top = probe_manifest(live, upstream, image)
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


def ask_upstream_through_mirror(live: LiveMirror, upstream: Upstream) -> Answer:
    """What the mirror says of a layer that nobody has, asked once: 404 where it could ask its upstream.

    A tag would not tell: where the upstream fails, the registry answers from its cache, or 404. The upstream is sent a
    HEAD, which no limit counts. Source: distribution v3.1.2 ``registry/proxy/proxyblobstore.go``.
    """
    repository = probe_repository(live, upstream)
    token = sign(live, upstream, (Access("repository", repository, ("pull",)),))
    path = f"/v2/{repository}/blobs/{_NO_BLOB}"
    return live.once(f"no blob {upstream.name}", lambda: live.client(upstream).request("GET", path, token))


def reaches_upstream(live: LiveMirror, upstream: Upstream) -> bool:
    """Whether the mirror can ask its upstream."""
    try:
        return ask_upstream_through_mirror(live, upstream).status == 404
    except RegistryError:
        return False


def source_of(live: LiveMirror, upstream: Upstream, account: tuple[str, str] | None = None) -> RegistryClient:
    """The upstream itself, asked from here."""
    return RegistryClient(live.http, upstream.url, account)


def sign(
    live: LiveMirror,
    upstream: Upstream,
    access: tuple[Access, ...],
    *,
    service: str | None = None,
    age: timedelta = timedelta(0),
) -> str:
    """A token signed here with the cluster's own key: nobody has a standing right to what it is for."""
    claims = Claims(
        issuer=live.mirror.auth.issuer,
        service=service or live.mirror.host_of(upstream),
        subject="regmirror verify",
        access=access,
        issued_at=live.now() - age,
        lifetime=timedelta(minutes=1),
        token_id=secrets.token_hex(8),
    )
    return sign_token(claims, live.signing_key())
