"""Checks of the upstream: as the mirror reaches it, and with the mirror's own account."""

import json

from regmirror.config.model import DOCKER_HUB, Upstream
from regmirror.distribution.challenge import parse_challenge
from regmirror.distribution.client import AccessDeniedError, ManifestMissingError, RegistryClient
from regmirror.distribution.pull_limit import PREVIEW_IMAGE, ask_pull_limit
from regmirror.distribution.reference import ImageReference
from regmirror.errors import ConfigurationError, RegistryError
from regmirror.verify.check import Category, CheckList, Failed, Outcome, Passed, Severity, Skipped
from regmirror.verify.hints import then_deploy
from regmirror.verify.live_mirror import LiveMirror
from regmirror.verify.sample_pull import ask_upstream_through_mirror, sample_image, upstream_client, with_image

_LOW = 0.1
UPSTREAM_HINT = "check that the upstream is up and that pods can reach it (egress, DNS, proxy); no deploy is needed"

check = CheckList(Category.UPSTREAM)


@check("upstream-credentials", "the upstream accepts the mirror's credentials", needs=("cluster-deployed",))
def _credentials(live: LiveMirror, upstream: Upstream) -> Outcome:
    account = live.upstream_account(upstream)
    if account is None:
        return Passed("none: pulls are anonymous")
    client = upstream_client(live, upstream, account)
    try:
        challenge = parse_challenge(client.request("GET", "/v2/").headers.get("www-authenticate", ""))
        if challenge is None:
            return Passed("the upstream does not ask for a token")
        status = client.ask_token(challenge.realm, challenge.service).status
    except RegistryError as error:
        return Skipped(f"this machine cannot reach the upstream: {error.message}")
    if status in {401, 403}:
        action = "set a valid user name and access token where upstreams[].credentials points to"
        return Failed(
            f"{upstream.url} refuses the mirror's credentials ({status}), so only cached images can be pulled",
            then_deploy(live, action),
        )
    return Passed() if status == 200 else Skipped(f"the token endpoint of the upstream answered {status}")


@check(
    "upstream-private",
    "the image is public at the upstream",
    needs=("upstream-credentials",),
    severity=Severity.WARNING,
)
@with_image
def _private(live: LiveMirror, upstream: Upstream, image: ImageReference) -> Outcome:
    """Asks with HEAD, which no rate limit counts, first without the account and only if that is refused with it."""
    account = live.upstream_account(upstream)
    if account is None:
        return Passed("none is private: pulls are anonymous")
    try:
        return Passed(_digest(upstream_client(live, upstream), image))
    except (AccessDeniedError, ManifestMissingError):
        pass
    except RegistryError as error:
        return Skipped(f"cannot ask the upstream without the account: {error.message}")
    try:
        _digest(upstream_client(live, upstream, account), image)
    except RegistryError as error:
        return Skipped(f"the mirror's account cannot read it either: {error.message}")
    return Failed(
        f"only the mirror's account can read {image} at {upstream.url}, and the mirror serves it to everyone who "
        f"reaches {live.mirror.endpoint_of(upstream)}",
        then_deploy(live, "remove it from anonymousPull, or use an account that is a member of nothing"),
    )


def _digest(client: RegistryClient, image: ImageReference) -> str:
    return client.manifest_digest(image, client.pull_token(image.repository))


@check("upstream-reachable", "the registry can reach the upstream", needs=("token-accepted",), limit=20.0)
def _reachable(live: LiveMirror, upstream: Upstream) -> Outcome:
    try:
        answer = ask_upstream_through_mirror(live, upstream)
    except RegistryError as error:
        return Failed(f"the registry does not get an answer from {upstream.url}: {error.message}", UPSTREAM_HINT)
    if answer.status == 404:
        return Passed(upstream.url)
    reason = _reason(answer.body)
    if b"s3aws" in answer.body:
        return Skipped("the bucket fails before the upstream is asked: see storage-bucket")
    if isinstance(_credentials(live, upstream), Failed):
        return Skipped("see upstream-credentials")
    return Failed(
        f"the registry cannot reach {upstream.url} and serves cached content only ({answer.status}): {reason}",
        UPSTREAM_HINT,
    )


def _reason(body: bytes) -> str:
    """The registry's own error message; of a long one the end, which has the cause."""
    text = body.decode(errors="replace")
    try:
        (error, *_) = json.loads(text)["errors"]
        text = str(error.get("detail") or error["message"])
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    return " ".join(text.split())[-200:]


@check(
    "upstream-quota",
    "at least 10% of the pull quota is left",
    needs=("upstream-reachable",),
    severity=Severity.WARNING,
)
def _quota(live: LiveMirror, upstream: Upstream) -> Outcome:
    try:
        image = PREVIEW_IMAGE if upstream.url == DOCKER_HUB else sample_image(live, upstream)
    except ConfigurationError:
        return Skipped("see token-grant")
    if image is None:
        return Passed("no image configured to ask about")
    try:
        limit = ask_pull_limit(upstream_client(live, upstream, live.upstream_account(upstream)), image)
    except ManifestMissingError:
        return Skipped(f"the upstream does not have {image} (404), so it reports no quota for it")
    except RegistryError as error:
        return Skipped(f"the upstream did not report its quota: {error.message}")
    if limit is None:
        return Passed("the upstream reports no limit")
    left = f"{limit.remaining} of {limit.limit} pulls left in {limit.window // 3600} hours"
    if limit.remaining == 0 or limit.remaining < _LOW * limit.limit:
        return Failed(left, "use an account with a higher limit, or wait; cached images are served meanwhile")
    return Passed(left)
