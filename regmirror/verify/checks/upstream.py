"""Checks of the upstream: as the mirror reaches it, and with the mirror's own account."""

import json

from regmirror.config.model import DOCKER_HUB, Upstream
from regmirror.desired.mirror_secrets import find_upstream_account
from regmirror.distribution.client import AccessDeniedError, ManifestMissingError, NoRegistryError, RegistryClient
from regmirror.distribution.login import Login, ask_login, login_status
from regmirror.distribution.pull_limit import PREVIEW_IMAGE, ask_pull_limit
from regmirror.distribution.reference import ImageReference
from regmirror.distribution.store_health import blames_store
from regmirror.errors import ConfigurationError, RegistryError, UntrustedCertificateError
from regmirror.verify.check import Category, CheckList, Failed, Outcome, Passed, Severity, Skipped, Stage
from regmirror.verify.hints import see_store, then_deploy
from regmirror.verify.live_mirror import LiveMirror
from regmirror.verify.sample_pull import ask_upstream_through_mirror, sample_image, upstream_client, with_image

_LOW = 0.1
_REFUSED = {401, 403}
_RENEW = "set a valid user name and access token where upstreams[].credentials points to"
_RENEW_REFERENCED = "renew the Secrets that upstreams[].credentials refers to; the registry reads them within minutes"
UPSTREAM_HINT = (
    "check that the upstream is up and that pods can reach it (NetworkPolicy, firewall, DNS); if the only way out is "
    "an HTTP proxy, set egress.httpsProxy"
)

check = CheckList(Category.UPSTREAM)


@check(
    "upstream-access",
    "the upstream is a registry and accepts the configured credentials",
    stage=Stage.PRE_INSTALL,
    limit=20.0,
)
def _access(live: LiveMirror, upstream: Upstream) -> Outcome:
    account = find_upstream_account(live.mirror, upstream, live.connections.resolver)
    pair = (account.name.get_secret_value(), account.password.get_secret_value()) if account else None
    try:
        login = _login(live, upstream)
        if problem := login.problem(upstream.url):
            return Failed(*problem)
        status = login_status(live.upstream_http(upstream), upstream.url, login, pair) if pair else 200
    except NoRegistryError as error:
        return Failed(error.message, "set upstreams[].url to the address of the registry's API")
    except UntrustedCertificateError:
        raise
    except RegistryError as error:
        return Skipped(f"this machine cannot reach the upstream: {error.message}")
    if status in _REFUSED:
        return Failed(f"{upstream.url} refuses the configured credentials ({status})", _RENEW)
    return Passed(upstream.url)


@check("upstream-credentials", "the upstream accepts the mirror's credentials", needs=("cluster-deployed",))
def _credentials(live: LiveMirror, upstream: Upstream) -> Outcome:
    account = live.upstream_account(upstream)
    if account is None:
        return Passed("none: pulls are anonymous")
    try:
        login = _login(live, upstream)
        if problem := login.problem(upstream.url):
            message, action = problem
            return Failed(f"{message}, so only cached images can be pulled", then_deploy(live, action))
        status = login_status(live.upstream_http(upstream), upstream.url, login, account)
    except RegistryError as error:
        return Skipped(f"this machine cannot reach the upstream: {error.message}")
    if status in _REFUSED:
        message = f"{upstream.url} refuses the mirror's credentials ({status}), so only cached images can be pulled"
        follows = upstream.credentials and upstream.credentials.follows_secrets
        return Failed(message, _RENEW_REFERENCED if follows else then_deploy(live, _RENEW))
    return Passed() if status == 200 else Skipped(f"the token endpoint of the upstream answered {status}")


def _login(live: LiveMirror, upstream: Upstream) -> Login:
    return live.once(f"login {upstream.name}", lambda: ask_login(live.upstream_http(upstream), upstream.url))


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
        then_deploy(live, "add it to deny, or use an account that is a member of nothing"),
    )


def _digest(client: RegistryClient, image: ImageReference) -> str:
    return client.manifest_digest(image, client.pull_token(image.repository))


@check("upstream-reachable", "the registry can reach the upstream", needs=("token-accepted",), limit=30.0)
def _reachable(live: LiveMirror, upstream: Upstream) -> Outcome:
    try:
        answer = ask_upstream_through_mirror(live, upstream)
    except RegistryError as error:
        return Failed(f"the registry does not get an answer from {upstream.url}: {error.message}", UPSTREAM_HINT)
    if problem := _login_problem(live, upstream):
        message, action = problem
        return Failed(f"{message}, so only cached images can be pulled", then_deploy(live, action))
    if answer.status == 404:
        return Passed(upstream.url)
    reason = _reason(answer.body)
    if blames_store(answer):
        return Skipped(see_store(live, "fails before the upstream is asked"))
    if isinstance(_credentials(live, upstream), Failed):
        return Skipped("see upstream-credentials")
    return Failed(
        f"the registry cannot reach {upstream.url} and serves cached content only ({answer.status}): {reason}",
        _reach_hint(live, upstream, reason),
    )


def _login_problem(live: LiveMirror, upstream: Upstream) -> tuple[str, str] | None:
    """Why the registry cannot get a token, for an upstream without an account; None if this machine cannot ask it."""
    if upstream.credentials:
        return None
    try:
        return _login(live, upstream).problem(upstream.url)
    except RegistryError:
        return None


def _reach_hint(live: LiveMirror, upstream: Upstream, reason: str) -> str:
    if "x509:" in reason:
        return then_deploy(live, f"for a private CA, set caBundle of the upstream {upstream.name}")
    if "proxyconnect" in reason:
        return then_deploy(live, "check egress.httpsProxy, and that pods can reach the proxy")
    return UPSTREAM_HINT


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
