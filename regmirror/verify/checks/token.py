"""Checks of the signing key and of the tokens that clients get."""

from collections.abc import Callable
from datetime import timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode

from regmirror.config.model import Upstream
from regmirror.desired import names
from regmirror.desired.secret_contents import look_up
from regmirror.errors import RegistryError, SigningError
from regmirror.ports.cluster import Object
from regmirror.signing.bundle import key_id, parse_bundle, trusted_keys
from regmirror.signing.key_pair import WARN_BEFORE
from regmirror.signing.tokens import CLOCK_LEEWAY, Access, decode_token
from regmirror.verify.check import Category, CheckList, Failed, Outcome, Passed, Severity, Skipped, Warned
from regmirror.verify.checks.config import check_ingress, check_users
from regmirror.verify.hints import deploy, fix_auth, kubectl, restart_registry, then_deploy
from regmirror.verify.live_mirror import LiveMirror
from regmirror.verify.sample_pull import UNLISTED, sample_image, sign
from regmirror.verify.sign_in import check_sign_in

_CLOCKS_APART = timedelta(seconds=20)
_PULL = Access("repository", UNLISTED.repository, ("pull",))

check = CheckList(Category.TOKEN)


@check("token-key-pair", "the signing key matches its certificate", needs=("cluster-deployed",), part="auth")
def _key_pair(live: LiveMirror) -> Outcome:
    try:
        key = live.signing_key()
    except SigningError as error:
        delete = f"{kubectl(live)} delete secret {names.SIGNING_SECRET}"
        return Failed(error.message, f"restore the key pair, or create a new one: {delete}; then {deploy(live)}")
    return Passed(f"RSA {key.key_size}, key id {key_id(key.public_key())}")


@check("token-bundle", "the registry's trust bundle contains the signing key", needs=("token-key-pair",), part="auth")
def _bundle(live: LiveMirror) -> Outcome:
    key = key_id(live.signing_key().public_key())
    trusted = trusted_keys(live.bundle())
    if key not in trusted:
        message = f"the trust bundle does not contain the signing key {key}; it contains {', '.join(trusted)}"
        return Failed(message, deploy(live))
    return Passed(f"{len(trusted)} certificate{'s' * (len(trusted) != 1)}")


@check("token-validity", "the signing certificate is valid for at least 60 days", needs=("token-key-pair",))
def _validity(live: LiveMirror) -> Outcome:
    if live.mirror.auth.external:
        ends = min(certificate.not_valid_after_utc for certificate in parse_bundle(live.bundle()))
        rotate = then_deploy(live, "rotate the key of docker_auth, and change auth.external.certificate")
    else:
        ends = live.signing_pair().certificate.not_valid_after_utc
        rotate = "rotate it without failing a pull: regmirror rotate-cert --force"
    left = ends - live.now()
    if left < timedelta(0):
        return Warned(f"the signing certificate expired on {ends:%Y-%m-%d}", rotate)
    if left < WARN_BEFORE:
        return Warned(f"the signing certificate expires in {left.days} days", rotate)
    return Passed(f"{left.days} days left")


@check("token-key-mount", "no registry pod mounts the private key", needs=("cluster-deployed",), part="auth")
def _key_mount(live: LiveMirror) -> Outcome:
    registries = [names.registry(upstream.name) for upstream in live.mirror.upstreams]
    holders = {pod["metadata"]["name"]: name for name in registries for pod in live.pods(name) if _has_key(pod)}
    if not holders:
        return Passed()
    # Deploy alone does not remove a volume that others have added.
    delete = f"{kubectl(live)} delete deployment {' '.join(dict.fromkeys(holders.values()))}"
    rotate = "regmirror rotate-cert --emergency"
    return Failed(
        f"registry pods mount the private key, but only need the trust bundle: {', '.join(holders)}",
        f"recreate the Deployment: {delete}; then {deploy(live)}; then replace the exposed key: {rotate}",
    )


def _has_key(pod: Object) -> bool:
    volumes = look_up(pod, "spec", "volumes") or []
    return any(look_up(volume, "secret", "secretName") == names.SIGNING_SECRET for volume in volumes)


@check("token-issued", "/auth issues a token", needs=("tls-route",))
def _issued(live: LiveMirror, upstream: Upstream) -> Outcome:
    try:
        live.anonymous_token(upstream)
    except (RegistryError, SigningError) as error:
        if live.mirror.auth.external:
            return Failed(error.message, fix_auth(live))
        if isinstance(check_users(live), Failed):
            return Skipped("see config-users")
        if isinstance(check_ingress(live, upstream), Failed):
            return Skipped("see config-ingress")
        if not live.has_ready_pods(names.AUTH):
            return Skipped(f"Service {names.AUTH} has no ready endpoint: see cluster-pods and cluster-services")
        return Failed(error.message, fix_auth(live))
    return Passed(live.realm(upstream))


@check("token-signature", "the token is signed with a trusted key", needs=("token-issued", "token-bundle"))
def _signature(live: LiveMirror, upstream: Upstream) -> Outcome:
    _, token = live.anonymous_token(upstream)
    trusted = trusted_keys(live.bundle())
    kid = str(token.header.get("kid"))
    if kid not in trusted:
        message = f"tokens are signed with key {kid}, but the trust bundle contains only {', '.join(trusted)}"
        return Failed(message, fix_auth(live))
    if not token.is_signed_by(trusted[kid]):
        return Failed(f"the token names key {kid}, but is signed with another one", fix_auth(live))
    return Passed(f"key id {kid}")


@check("token-claims", "the token has the right issuer and audience", needs=("token-issued", "config-issuer"))
def _claims(live: LiveMirror, upstream: Upstream) -> Outcome:
    _, token = live.anonymous_token(upstream)
    for claim, name, wanted in (
        ("iss", "issuer", live.mirror.issuer),
        ("aud", "audience", live.mirror.service_of(upstream)),
    ):
        if token.claims.get(claim) != wanted:
            message = f'the token\'s {name} is "{token.claims.get(claim)}" instead of "{wanted}"'
            return Failed(message, fix_auth(live))
    return Passed()


@check(
    "token-accepted",
    "the registry accepts the token",
    needs=("config-issuer", "config-service", "token-signature", "token-claims"),
)
def _accepted(live: LiveMirror, upstream: Upstream) -> Outcome:
    text, _ = live.anonymous_token(upstream)
    answer = live.client(upstream).request("GET", "/v2/", text)
    if answer.status != 200:
        return Failed(
            f"the registry answered {answer.status} to a token from {live.realm(upstream)}: its pods have read "
            "another issuer, service or trust bundle than the Secrets now contain",
            restart_registry(live, upstream),
        )
    return Passed()


@check("token-lifetime", "the token lifetime is as configured", needs=("token-issued", "config-auth"), part="auth")
def _lifetime(live: LiveMirror, upstream: Upstream) -> Outcome:
    _, token = live.anonymous_token(upstream)
    wanted = int(live.mirror.auth.token_lifetime.total_seconds())
    try:
        found = int(token.claims["exp"]) - int(token.claims["iat"])
    except (KeyError, TypeError, ValueError):
        return Failed("the token has no valid iat and exp claims", fix_auth(live))
    if found != wanted:
        return Failed(f"tokens are valid for {found} s instead of {wanted} s", fix_auth(live))
    return Passed(f"{found} s")


@check(
    "token-clock",
    "the clocks of this machine and the cluster are in sync",
    needs=("token-issued",),
    severity=Severity.WARNING,
)
def _clock(live: LiveMirror, upstream: Upstream) -> Outcome:
    realm = f"{live.realm(upstream)}?{urlencode({'service': live.mirror.service_of(upstream)})}"
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
            f"the clocks differ by {apart.total_seconds():.0f} s ({shown}); tokens are refused from "
            f"{CLOCK_LEEWAY.total_seconds():.0f} s on",
            "synchronize the clocks of the nodes and of this machine with NTP",
        )
    return Passed(f"within {_CLOCKS_APART.total_seconds():.0f} s")


@check("token-grant", "/auth grants the pull of an allowed image", needs=("token-accepted", "config-access"))
def _granted(live: LiveMirror, upstream: Upstream) -> Outcome:
    image = sample_image(live, upstream)
    if image is None:
        return Passed("no image configured to ask for")
    # Asked of the mirror's own realm: whether the registry sends clients there is for registry-challenge to find out.
    scope = f"repository:{image.repository}:pull"
    token = live.client(upstream).token(live.realm(upstream), live.mirror.service_of(upstream), (scope,))
    if not decode_token(token).access:
        message = f"/auth does not grant the pull of {image.repository}: it runs with an older access list"
        if live.mirror.auth.external:
            message = f"{live.realm(upstream)} does not grant everyone the pull of {image.repository}"
        return Failed(message, fix_auth(live))
    return Passed(image.repository)


@check("token-sign-in", "people can sign in at the provider", needs=("token-issued", "config-auth"), part="auth")
def _sign_in(live: LiveMirror) -> Outcome:
    return check_sign_in(live)


def _refused(forge: Callable[[LiveMirror, Upstream], str]) -> Callable[[LiveMirror, Upstream], Outcome]:
    """The function of a check that sends a forged token to the registry; nothing is asked of the upstream."""

    def run(live: LiveMirror, upstream: Upstream) -> Outcome:
        path = f"/v2/{UNLISTED.repository}/manifests/{UNLISTED.reference}"
        answer = live.client(upstream).request("HEAD", path, forge(live, upstream))
        if answer.status != 401:
            return Failed(f"the registry answered {answer.status} instead of 401", restart_registry(live, upstream))
        return Passed("401")

    return run


@check("token-audience-refused", "a token for another service is refused", needs=("token-accepted",), part="auth")
@_refused
def _for_another_service(live: LiveMirror, upstream: Upstream) -> str:
    return sign(live, upstream, (_PULL,), service="another.example.com")


@check("token-repository-refused", "a token for another repository is refused", needs=("token-accepted",), part="auth")
@_refused
def _for_another_repository(live: LiveMirror, upstream: Upstream) -> str:
    return sign(live, upstream, (Access("repository", "library/another", ("pull",)),))


@check("token-signature-refused", "a tampered token is refused", needs=("token-accepted",), part="auth")
@_refused
def _tampered(live: LiveMirror, upstream: Upstream) -> str:
    """A token without access, whose claims are replaced with those of a token that may pull."""
    mine, theirs = (sign(live, upstream, access).split(".") for access in ((), (_PULL,)))
    return ".".join([mine[0], theirs[1], mine[2]])


@check("token-expired-refused", "an expired token is refused", needs=("token-accepted",), part="auth")
@_refused
def _expired(live: LiveMirror, upstream: Upstream) -> str:
    return sign(live, upstream, (_PULL,), age=timedelta(hours=1))
