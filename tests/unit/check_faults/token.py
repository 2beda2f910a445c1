"""Faults of the signing key and of tokens."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

from regmirror.desired import names
from regmirror.ports.cluster import POD, SECRET
from regmirror.signing.key_pair import self_signed
from tests import samples
from tests.unit.check_faults.table import FaultTable, answer, reconfigure
from tests.unit.deployed import REGISTRY, Deployed

fault = FaultTable()


@fault("token-key-pair", "the signing key does not match its certificate")
def mismatched_pair(mirror: Deployed) -> None:
    mirror.replace(names.SIGNING_SECRET, **{"tls.key": samples.key_pair(2).key_pem})


@fault("token-key-pair", "namespace regmirror has no Secret regmirror-signing")
def no_signing_secret(mirror: Deployed) -> None:
    mirror.cluster.delete(SECRET, names.SIGNING_SECRET)


@fault("token-bundle", "the trust bundle does not contain the signing key")
def other_bundle(mirror: Deployed) -> None:
    mirror.replace(names.BUNDLE_SECRET, **{"bundle.crt": samples.key_pair(2).certificate_pem})


@fault("token-bundle", "the certificate bundle has no PEM certificate")
def empty_bundle(mirror: Deployed) -> None:
    mirror.replace(names.BUNDLE_SECRET, **{"bundle.crt": b""})


def signing_certificate(mirror: Deployed, days: int) -> None:
    """A signing certificate that expires in so many days."""
    start = samples.NOW - timedelta(days=100)
    pair = self_signed(samples.key_pair().private_key, "regmirror", start, timedelta(days=100 + days), serial=5)
    mirror.replace(names.SIGNING_SECRET, **{"tls.crt": pair.certificate_pem})


@fault("token-validity", "the signing certificate expires in 59 days")
def near_expiry(mirror: Deployed) -> None:
    signing_certificate(mirror, 59)


@fault("token-validity", "the signing certificate expired on 2026-11-22")
def expired_certificate(mirror: Deployed) -> None:
    signing_certificate(mirror, -1)


@fault("token-key-mount", "registry pods mount the private key, but only need the trust bundle")
def key_in_the_registry(mirror: Deployed) -> None:
    volumes = [{"name": "config"}, {"secret": {"secretName": names.SIGNING_SECRET}}]
    mirror.change(POD, f"{REGISTRY}-0", lambda pod: pod["spec"].update(volumes=volumes))


@fault("token-issued", "the token endpoint https://mirror.example.com/auth answered 502")
def bad_gateway(mirror: Deployed) -> None:
    answer(mirror, "/auth", 502)


@fault("token-issued", "is not a JSON Web Token")
def not_a_token(mirror: Deployed) -> None:
    answer(mirror, "/auth", 200, b'{"token": "x"}')


@fault("token-signature", ", but the trust bundle contains only ")
def unknown_key(mirror: Deployed) -> None:
    mirror.host.signing = samples.key_pair(2)


@fault("token-signature", ", but is signed with another one")
def forged(mirror: Deployed) -> None:
    """The header names the right key, but the signature is made with another."""
    right = mirror.host.signing
    signed = mirror.live().anonymous_token(mirror.mirror.upstreams[0])[0]
    mirror.host.signing = samples.key_pair(2)
    wrong = mirror.live().anonymous_token(mirror.mirror.upstreams[0])[0]
    mirror.host.signing = right
    token = ".".join([*signed.split(".")[:2], wrong.split(".")[2]])
    answer(mirror, "/auth", 200, b'{"token": "%s"}' % token.encode())


@fault("token-claims", 'the token\'s issuer is "x" instead of "regmirror"')
def other_issuer(mirror: Deployed) -> None:
    mirror.host.signs_as = "x"


@fault("token-claims", 'the token\'s audience is "None" instead of "mirror.example.com"')
def no_audience(mirror: Deployed) -> None:
    answer(mirror, "/auth", 200, b'{"token": "e30.eyJpc3MiOiAicmVnbWlycm9yIn0.AAAA"}')


@fault("token-accepted", "its pods have read another issuer, service or trust bundle than the Secrets now contain")
def stale_pods(mirror: Deployed) -> None:
    mirror.host.bundle = samples.key_pair(2).certificate_pem


@fault("token-lifetime", "tokens are valid for 300 s instead of 600 s")
def shorter_lifetime(mirror: Deployed) -> None:
    reconfigure(mirror, auth={"tokenLifetime": "10m"})


@fault("token-lifetime", "the token has no valid iat and exp claims")
def no_expiry(mirror: Deployed) -> None:
    answer(mirror, "/auth", 200, b'{"token": "e30.e30.AAAA"}')


@fault("token-clock", "the clocks differ by 90 s (this machine 12:00:00, the registry 12:01:30); tokens are refused")
def clock_ahead(mirror: Deployed) -> None:
    answer(mirror, "/v2/", 401, Date=format_datetime(samples.NOW + timedelta(seconds=90)))


@fault("token-grant", "/auth does not grant the pull of library/alpine: it runs with an older access list")
def not_granted(mirror: Deployed) -> None:
    mirror.host.allowed.clear()


def with_sign_in(mirror: Deployed, status: int, body: bytes) -> None:
    """A mirror at which people sign in, and what its page answers."""
    client = {"clientId": "abc", "clientSecret": {"env": "CLIENT_SECRET"}}
    reconfigure(mirror, access={"signIn": {"github": {**client, "organization": "acme"}}})
    answer(mirror, "/github_auth", status, body)


@fault("token-sign-in", "https://mirror.example.com/github_auth does not exist")
def no_page(mirror: Deployed) -> None:
    with_sign_in(mirror, 404, b"Not found")


@fault("token-sign-in", "the sign-in provider refuses the client ID or the client secret")
def wrong_client_secret(mirror: Deployed) -> None:
    with_sign_in(mirror, 400, b"Failed to get token: incorrect_client_credentials: The client_id is incorrect")


@fault(
    "token-sign-in", "docker_auth got no answer from the sign-in provider: Error talking to GitHub auth backend: x509"
)
def unreachable_provider(mirror: Deployed) -> None:
    with_sign_in(mirror, 503, b"Error talking to GitHub auth backend: x509: unknown authority")


@fault("token-sign-in", "answered 429")
def flooded_page(mirror: Deployed) -> None:
    with_sign_in(mirror, 429, b"{}")


def unguarded(mirror: Deployed) -> None:
    """A registry that does not check tokens."""
    answer(mirror, "/v2/regmirror-probe/not-allowed/manifests/latest", 404)


for kind in ("audience", "repository", "signature", "expired"):
    fault(f"token-{kind}-refused", "the registry answered 404 instead of 401")(unguarded)
