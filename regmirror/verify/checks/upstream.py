"""Checks of the registry that is mirrored: as the mirror reaches it, and with the mirror's own account."""

import json

from regmirror.config.model import DOCKER_HUB, Upstream
from regmirror.desired import names
from regmirror.distribution.challenge import parse_challenge
from regmirror.distribution.client import MANIFEST_TYPES
from regmirror.distribution.pull_limit import parse_pull_limit
from regmirror.distribution.reference import ImageReference
from regmirror.errors import RegistryError
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, Severity, Skipped, UpstreamCheck
from regmirror.verify.live_mirror import LiveMirror, NotDeployedError
from regmirror.verify.sample_pull import ask_upstream_through_mirror, probe_image, source_of

_FREE_PREVIEW = ImageReference("ratelimitpreview/test", "latest")
"""What Docker Hub offers for asking about limits (docs.docker.com, "Docker Hub pull usage and limits")."""
_LOW = 0.1
_LET_IT = "see that the pods may reach it (egress, DNS, proxy), and that it is not down; it mends itself then"


def _reachable(live: LiveMirror, upstream: Upstream) -> Outcome:
    try:
        answer = ask_upstream_through_mirror(live, upstream)
    except RegistryError as error:
        return Failed(f"the registry waits for {upstream.url}: {error.message}", _LET_IT)
    if answer.status == 404:
        return Passed(upstream.url)
    reason = _reason(answer.body)
    if b"s3aws" in answer.body:
        return Skipped("the store fails before the upstream is asked: see storage-bucket")
    if isinstance(_credentials(live, upstream), Failed):
        return Skipped("see upstream-credentials")
    return Failed(
        f"the registry cannot ask {upstream.url} and serves what it has alone: {answer.status} {reason}",
        _LET_IT,
    )


def _reason(body: bytes) -> str:
    """The registry's own words on what went wrong; of long ones the end, where the cause stands."""
    text = body.decode(errors="replace")
    try:
        (error, *_) = json.loads(text)["errors"]
        text = str(error.get("detail") or error["message"])
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    return " ".join(text.split())[-200:]


def _credentials(live: LiveMirror, upstream: Upstream) -> Outcome:
    account = _account(live, upstream)
    if account is None:
        return Passed("none: pulls are anonymous")
    source = source_of(live, upstream, account)
    try:
        challenge = parse_challenge(source.request("GET", "/v2/").headers.get("www-authenticate", ""))
        if challenge is None:
            return Passed("the upstream asks for no token")
        status = source.ask_token(challenge.realm, challenge.service).status
    except RegistryError as error:
        return Skipped(f"the upstream cannot be asked from here: {error.message}")
    if status in {401, 403}:
        return Failed(
            f"{upstream.url} refuses the mirror's account: {status}; every pull fails that is not in the cache",
            "put a valid user name and access token where upstreams[].credentials point to; regmirror deploy",
        )
    return Passed(f"{upstream.url} accepts them") if status == 200 else Skipped(f"the upstream answered {status}")


def _quota(live: LiveMirror, upstream: Upstream) -> Outcome:
    probe = _FREE_PREVIEW if upstream.url == DOCKER_HUB else probe_image(live, upstream)
    if probe is None:
        return Passed("no image is known to ask about")
    source = source_of(live, upstream, _account(live, upstream))
    try:
        path = f"/v2/{probe.repository}/manifests/{probe.reference}"
        answer = source.request("HEAD", path, source.pull_token(probe.repository), MANIFEST_TYPES)
    except RegistryError as error:
        return Skipped(f"the upstream cannot be asked from here: {error.message}")
    limit = parse_pull_limit(answer.headers)
    if limit is None:
        return Passed("no limit")
    told = f"{limit.remaining} of {limit.limit} pulls are left in {limit.window // 3600} hours"
    if limit.remaining == 0 or limit.remaining < _LOW * limit.limit:
        return Failed(told, "use an account with more pulls, or wait: what is in the cache is served meanwhile")
    return Passed(told)


def _account(live: LiveMirror, upstream: Upstream) -> tuple[str, str] | None:
    """The account that the registry really uses; None where it has none. Raises NotDeployedError."""
    name = names.credential_secret(upstream.name)
    try:
        document = json.loads(live.secret(name).get("credential.json", b""))
        user, password = str(document["Username"]), str(document["Secret"])
    except (ValueError, KeyError, TypeError) as error:
        raise NotDeployedError(f"credential.json in Secret {name} is no account", hint="regmirror deploy") from error
    return (user, password) if user else None


CHECKS: tuple[Check, ...] = (
    UpstreamCheck(
        "upstream-credentials",
        "the upstream accepts the mirror's account",
        Category.UPSTREAM,
        _credentials,
        needs=("cluster-permissions",),
    ),
    UpstreamCheck(
        "upstream-reachable",
        "the registry reaches its upstream",
        Category.UPSTREAM,
        _reachable,
        needs=("token-accepted",),
        limit=20.0,
    ),
    UpstreamCheck(
        "upstream-quota",
        "a tenth of the upstream's pulls is left",
        Category.UPSTREAM,
        _quota,
        needs=("upstream-reachable",),
        severity=Severity.WARNING,
    ),
)
