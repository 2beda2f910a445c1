"""What the upstream says about an image, asked with HEAD requests only."""

from dataclasses import dataclass
from typing import Literal

from regmirror.config.model import Upstream
from regmirror.distribution.client import MANIFEST_TYPES, AccessDeniedError
from regmirror.distribution.pull_limit import PullLimit, parse_pull_limit
from regmirror.distribution.reference import ImageReference
from regmirror.errors import RegistryError
from regmirror.ports.http import Answer
from regmirror.verify.live_mirror import LiveMirror, NotDeployedError
from regmirror.verify.sample_pull import upstream_client

State = Literal["public", "private", "missing", "refused", "rateLimited"]
_REFUSED = Answer(401, {}, b"")
_STATES: dict[int, State] = {404: "missing", 401: "refused", 403: "refused", 429: "rateLimited"}


@dataclass(frozen=True, slots=True)
class AtUpstream:
    """The image as the upstream has it now."""

    state: State
    digest: str | None = None
    limit: PullLimit | None = None


def ask_upstream(live: LiveMirror, upstream: Upstream, image: ImageReference) -> AtUpstream:
    """Whether the upstream has the image, and for whom: asked as the mirror does, and then without its account.

    Raises RegistryError if there is no answer, or another one than a registry gives.
    """
    try:
        account = live.upstream_account(upstream) if upstream.credentials else None
    except NotDeployedError:
        account = None
    answer = _head(live, upstream, image, account)
    if answer.status == 200:
        is_public = account is None or _head(live, upstream, image, None).status != _REFUSED.status
        state: State = "public" if is_public else "private"
    elif answer.status in _STATES:
        state = _STATES[answer.status]
    else:
        raise RegistryError(f"{upstream.url} answered {answer.status}")
    digest = answer.headers.get("docker-content-digest") if answer.status == 200 else None
    return AtUpstream(state, digest, parse_pull_limit(answer.headers))


def _head(live: LiveMirror, upstream: Upstream, image: ImageReference, account: tuple[str, str] | None) -> Answer:
    client = upstream_client(live, upstream, account)
    try:
        token = client.pull_token(image.repository)
    except AccessDeniedError:
        return _REFUSED
    return client.request("HEAD", f"/v2/{image.repository}/manifests/{image.reference}", token, MANIFEST_TYPES)
