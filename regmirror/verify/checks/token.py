"""Checks of the signing key and of the tokens that clients get."""

from collections.abc import Callable
from datetime import timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode

from regmirror.config.model import Upstream
from regmirror.desired import names
from regmirror.errors import RegistryError, SigningError
from regmirror.ports.cluster import Object
from regmirror.signing.bundle import key_id, trusted_keys
from regmirror.signing.key_pair import WARN_BEFORE
from regmirror.signing.tokens import CLOCK_LEEWAY, Access, decode_token
from regmirror.verify.check import (
    Category,
    Check,
    Failed,
    Outcome,
    Passed,
    Severity,
    Skipped,
    UpstreamCheck,
    Warned,
)
from regmirror.verify.checks.config import check_ingress, check_users
from regmirror.verify.hints import DEPLOY, kubectl, restart, restart_registry
from regmirror.verify.live_mirror import LiveMirror, look_up
from regmirror.verify.sample_pull import UNLISTED, probe_image, sign

_RENEW = "replace it, without a failed pull: regmirror rotate-cert --force"
_CLOCKS_APART = timedelta(seconds=20)
_PULL = Access("repository", UNLISTED.repository, ("pull",))


def _key_pair(live: LiveMirror) -> Outcome:
    try:
        key = live.signing_key()
    except SigningError as error:
        drop = f"{kubectl(live)} delete secret {names.SIGNING_SECRET}"
        return Failed(error.message, f"put the right pair back, or have a new one made: {drop}; regmirror deploy")
    return Passed(f"RSA {key.key_size}, key id {key_id(key.public_key())}")


def _bundle(live: LiveMirror) -> Outcome:
    key = key_id(live.signing_key().public_key())
    trusted = trusted_keys(live.bundle())
    if key not in trusted:
        return Failed(
            f"the certificate bundle of the registry lacks the signing key {key}; it trusts {', '.join(trusted)}",
            DEPLOY,
        )
    return Passed(f"{len(trusted)} certificate{'s' * (len(trusted) != 1)}")


def _validity(live: LiveMirror) -> Outcome:
    ends = live.signing_pair().certificate.not_valid_after_utc
    left = ends - live.now()
    if left < timedelta(0):
        return Warned(f"the signing certificate ended on {ends:%Y-%m-%d}", _RENEW)
    if left < WARN_BEFORE:
        return Warned(f"the signing certificate ends in {left.days} days", _RENEW)
    return Passed(f"{left.days} days left")


def _key_mount(live: LiveMirror) -> Outcome:
    registries = [names.registry(upstream.name) for upstream in live.mirror.upstreams]
    holders = {pod["metadata"]["name"]: name for name in registries for pod in live.pods(name) if _has_key(pod)}
    if holders:
        # A volume that somebody has added is not deploy's own to take away.
        drop = f"{kubectl(live)} delete deployment {' '.join(dict.fromkeys(holders.values()))}"
        return Failed(
            f"the private key is mounted by the registry, which needs no more than the bundle: {', '.join(holders)}",
            f"{drop}; regmirror deploy; and since others may have the key by now: regmirror rotate-cert --emergency",
        )
    return Passed()


def _has_key(pod: Object) -> bool:
    volumes = look_up(pod, "spec", "volumes") or []
    return any(look_up(volume, "secret", "secretName") == names.SIGNING_SECRET for volume in volumes)


def _issued(live: LiveMirror, upstream: Upstream) -> Outcome:
    try:
        live.anonymous_token(upstream)
    except (RegistryError, SigningError) as error:
        if isinstance(check_users(live), Failed):
            return Skipped("see config-users")
        if isinstance(check_ingress(live, upstream), Failed):
            return Skipped("see config-ingress")
        if not live.has_ready_pods(names.AUTH):
            return Skipped(f"no pod is behind the Service {names.AUTH}: see cluster-pods and cluster-services")
        return Failed(error.message, restart(live, names.AUTH))
    return Passed(live.realm(upstream))


def _signature(live: LiveMirror, upstream: Upstream) -> Outcome:
    _, token = live.anonymous_token(upstream)
    trusted = trusted_keys(live.bundle())
    kid = str(token.header.get("kid"))
    if kid not in trusted:
        return Failed(
            f"tokens are signed by the key {kid}, which the registry's certificate bundle lacks "
            f"(it trusts {', '.join(trusted)})",
            restart(live, names.AUTH),
        )
    if not token.is_signed_by(trusted[kid]):
        return Failed(f"the token names the key {kid}, but its signature is another's", restart(live, names.AUTH))
    return Passed(f"key id {kid}")


def _claims(live: LiveMirror, upstream: Upstream) -> Outcome:
    _, token = live.anonymous_token(upstream)
    for claim, name, wanted in (
        ("iss", "issuer", live.mirror.auth.issuer),
        ("aud", "service", live.mirror.host_of(upstream)),
    ):
        if token.claims.get(claim) != wanted:
            message = f'the token\'s {name} is "{token.claims.get(claim)}" instead of "{wanted}"'
            return Failed(message, restart(live, names.AUTH))
    return Passed()


def _lifetime(live: LiveMirror, upstream: Upstream) -> Outcome:
    _, token = live.anonymous_token(upstream)
    wanted = int(live.mirror.auth.token_lifetime.total_seconds())
    try:
        found = int(token.claims["exp"]) - int(token.claims["iat"])
    except (KeyError, TypeError, ValueError):
        return Failed("the token does not say when it was issued and when it ends", restart(live, names.AUTH))
    if found != wanted:
        return Failed(f"tokens are valid for {found} s instead of {wanted} s", restart(live, names.AUTH))
    return Passed(f"{found} s")


def _clock(live: LiveMirror, upstream: Upstream) -> Outcome:
    realm = f"{live.realm(upstream)}?{urlencode({'service': live.mirror.host_of(upstream)})}"
    asked = {"docker_auth": realm, "the registry": f"{live.client(upstream).base}/v2/"}
    clocks = {"this machine": live.now()}
    for name, url in asked.items():
        text = live.http.request("GET", url).headers.get("date")
        if text:
            clocks[name] = parsedate_to_datetime(text)
    apart = max(clocks.values()) - min(clocks.values())
    if apart > _CLOCKS_APART:
        shown = ", ".join(f"{name} {time:%H:%M:%S}" for name, time in clocks.items())
        return Failed(
            f"the clocks are {apart.total_seconds():.0f} s apart ({shown}); from {CLOCK_LEEWAY.total_seconds():.0f} s "
            "on tokens are refused",
            "have the nodes and this machine keep time by NTP",
        )
    return Passed(f"within {_CLOCKS_APART.total_seconds():.0f} s")


def _granted(live: LiveMirror, upstream: Upstream) -> Outcome:
    image = probe_image(live, upstream)
    if image is None:
        return Passed("no image is known that may be pulled")
    # Asked of our own realm: whether the registry sends clients there is for registry-challenge to say.
    scope = f"repository:{image.repository}:pull"
    token = live.client(upstream).token(live.realm(upstream), live.mirror.host_of(upstream), (scope,))
    if not decode_token(token).access:
        return Failed(
            f"/auth grants no pull of {image.repository}: docker_auth's ACL does not have it",
            restart(live, names.AUTH),
        )
    return Passed(image.repository)


def _accepted(live: LiveMirror, upstream: Upstream) -> Outcome:
    text, _ = live.anonymous_token(upstream)
    answer = live.client(upstream).request("GET", "/v2/", text)
    if answer.status != 200:
        return Failed(
            f"the registry answered {answer.status} to a token from {live.realm(upstream)}: its pods run with "
            "another issuer, service or certificate bundle than the Secrets now say",
            restart_registry(live, upstream),
        )
    return Passed()


def _refused(forge: Callable[[LiveMirror, Upstream], str]) -> Callable[[LiveMirror, Upstream], Outcome]:
    """What proves that the registry answers 401 to a forged token; nothing is asked of the upstream."""

    def run(live: LiveMirror, upstream: Upstream) -> Outcome:
        path = f"/v2/{UNLISTED.repository}/manifests/{UNLISTED.reference}"
        answer = live.client(upstream).request("HEAD", path, forge(live, upstream))
        if answer.status != 401:
            return Failed(f"the registry answered {answer.status} instead of 401", restart_registry(live, upstream))
        return Passed("401")

    return run


def _for_another_service(live: LiveMirror, upstream: Upstream) -> str:
    return sign(live, upstream, (_PULL,), service="another.example.com")


def _for_another_repository(live: LiveMirror, upstream: Upstream) -> str:
    return sign(live, upstream, (Access("repository", "library/another", ("pull",)),))


def _ended(live: LiveMirror, upstream: Upstream) -> str:
    return sign(live, upstream, (_PULL,), age=timedelta(hours=1))


def _tampered(live: LiveMirror, upstream: Upstream) -> str:
    """One grants nothing, and its claims are replaced by those of one that does."""
    mine, theirs = (sign(live, upstream, access).split(".") for access in ((), (_PULL,)))
    return ".".join([mine[0], theirs[1], mine[2]])


_REFUSALS = (
    ("audience", "a token for another service is refused", _for_another_service),
    ("repository", "a token for another repository is refused", _for_another_repository),
    ("signature", "a token whose rights were changed is refused", _tampered),
    ("expired", "a token that has ended is refused", _ended),
)

CHECKS: tuple[Check, ...] = (
    Check(
        "token-key-pair",
        "the signing key and its certificate belong together",
        Category.TOKEN,
        _key_pair,
        needs=("cluster-permissions",),
    ),
    Check(
        "token-bundle",
        "the registry's certificate bundle has the signing key",
        Category.TOKEN,
        _bundle,
        needs=("token-key-pair",),
    ),
    Check(
        "token-validity",
        "the signing certificate is valid for at least 60 days",
        Category.TOKEN,
        _validity,
        needs=("token-key-pair",),
    ),
    Check(
        "token-key-mount",
        "no registry pod has the private key",
        Category.TOKEN,
        _key_mount,
        needs=("cluster-permissions",),
    ),
    UpstreamCheck("token-issued", "/auth issues a token", Category.TOKEN, _issued, needs=("tls-route",)),
    UpstreamCheck(
        "token-signature",
        "the token is signed by a key that the registry trusts",
        Category.TOKEN,
        _signature,
        needs=("token-issued", "token-bundle"),
    ),
    UpstreamCheck(
        "token-claims",
        "the token names our issuer and service",
        Category.TOKEN,
        _claims,
        needs=("token-issued", "config-issuer"),
    ),
    UpstreamCheck(
        "token-accepted",
        "the registry accepts the token",
        Category.TOKEN,
        _accepted,
        needs=("config-issuer", "config-service", "token-signature", "token-claims"),
    ),
    UpstreamCheck(
        "token-lifetime",
        "the token is valid for as long as the file says",
        Category.TOKEN,
        _lifetime,
        needs=("token-issued", "config-auth"),
    ),
    UpstreamCheck(
        "token-clock",
        "the clocks of this machine, docker_auth and the registry agree",
        Category.TOKEN,
        _clock,
        needs=("token-issued",),
        severity=Severity.WARNING,
    ),
    UpstreamCheck(
        "token-grant",
        "/auth grants the pull of an allowed image",
        Category.TOKEN,
        _granted,
        needs=("token-accepted", "config-access"),
    ),
    *(
        UpstreamCheck(f"token-{name}-refused", title, Category.TOKEN, _refused(forge), needs=("token-accepted",))
        for name, title, forge in _REFUSALS
    ),
)
