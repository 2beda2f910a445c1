"""Checks of the signing key and of the tokens that clients get."""

from datetime import timedelta

from regmirror.config.model import Upstream
from regmirror.signing.bundle import key_id, trusted_keys
from regmirror.stack import names
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, UpstreamCheck, Warned
from regmirror.verify.subject import Subject

_DEPLOY = "bring the cluster back to the file: regmirror deploy"
_RENEW = f"have a new one made: kubectl delete secret {names.SIGNING_SECRET}, then regmirror deploy"
_WARN_BEFORE = timedelta(days=60)


def _key_pair(subject: Subject) -> Outcome:
    pair = subject.signing_pair()
    return Passed(f"RSA {pair.private_key.key_size}, key id {key_id(pair.private_key.public_key())}")


def _bundle(subject: Subject) -> Outcome:
    key = key_id(subject.signing_pair().private_key.public_key())
    trusted = trusted_keys(subject.bundle())
    if key not in trusted:
        return Failed(
            f"the certificate bundle of the registry lacks the signing key {key}; it trusts {', '.join(trusted)}",
            _DEPLOY,
        )
    return Passed(f"{len(trusted)} certificate{'s' * (len(trusted) != 1)}")


def _validity(subject: Subject) -> Outcome:
    ends = subject.signing_pair().certificate.not_valid_after_utc
    left = ends - subject.now()
    if left < timedelta(0):
        return Warned(f"the signing certificate ended on {ends:%Y-%m-%d}", _RENEW)
    if left < _WARN_BEFORE:
        return Warned(f"the signing certificate ends in {left.days} days", _RENEW)
    return Passed(f"{left.days} days left")


def _issued(subject: Subject, upstream: Upstream) -> Outcome:
    subject.anonymous_token(upstream)
    return Passed(subject.realm(upstream))


def _signature(subject: Subject, upstream: Upstream) -> Outcome:
    _, token = subject.anonymous_token(upstream)
    trusted = trusted_keys(subject.bundle())
    kid = str(token.header.get("kid"))
    if kid not in trusted:
        return Failed(
            f"tokens are signed by the key {kid}, which the registry's certificate bundle lacks "
            f"(it trusts {', '.join(trusted)})",
            _DEPLOY,
        )
    if not token.is_signed_by(trusted[kid]):
        return Failed(f"the token names the key {kid}, but its signature is another's", _DEPLOY)
    return Passed(f"key id {kid}")


def _claims(subject: Subject, upstream: Upstream) -> Outcome:
    _, token = subject.anonymous_token(upstream)
    for claim, name, wanted in (
        ("iss", "issuer", subject.mirror.auth.issuer),
        ("aud", "service", subject.mirror.host_of(upstream)),
    ):
        if token.claims.get(claim) != wanted:
            return Failed(f'the token\'s {name} is "{token.claims.get(claim)}" instead of "{wanted}"', _DEPLOY)
    return Passed()


def _accepted(subject: Subject, upstream: Upstream) -> Outcome:
    text, _ = subject.anonymous_token(upstream)
    answer = subject.client(upstream).request("GET", "/v2/", text)
    if answer.status != 200:
        return Failed(
            f"the registry answered {answer.status} to a token from {subject.realm(upstream)}: its pods run with "
            "another issuer, service or certificate bundle than the Secrets now say",
            _DEPLOY,
        )
    return Passed()


CHECKS: tuple[Check, ...] = (
    Check(
        "token-key-pair",
        "the signing key and its certificate belong together",
        Category.TOKEN,
        _key_pair,
        needs=("cluster-api",),
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
    UpstreamCheck("token-issued", "/auth issues a token", Category.TOKEN, _issued, needs=("tls-host",)),
    UpstreamCheck(
        "token-signature",
        "the token is signed by a key that the registry trusts",
        Category.TOKEN,
        _signature,
        needs=("token-issued", "token-bundle"),
    ),
    UpstreamCheck(
        "token-claims", "the token names our issuer and service", Category.TOKEN, _claims, needs=("token-issued",)
    ),
    UpstreamCheck(
        "token-accepted",
        "the registry accepts the token",
        Category.TOKEN,
        _accepted,
        needs=("token-signature", "token-claims", "config-issuer", "config-service"),
    ),
)
