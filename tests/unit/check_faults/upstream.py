"""Faults of the upstream."""

from __future__ import annotations

from typing import Any

from regmirror.desired import names
from regmirror.errors import UntrustedCertificateError
from regmirror.ports.http import Answer
from tests import samples
from tests.fakes.http import Request
from tests.unit.check_faults.table import NO_BLOB, FaultTable, answer, reconfigure
from tests.unit.deployed import Deployed

fault = FaultTable()


@fault(
    "upstream-credentials",
    "https://registry-1.docker.io refuses the mirror's credentials (401), so only cached images can be pulled",
)
def revoked_account(mirror: Deployed) -> None:
    mirror.upstream.answers["/auth"] = Answer(401, {}, b"")


@fault(
    "upstream-credentials",
    "Secret regmirror-docker-hub-credential: credential.json does not contain an account",
)
def no_account(mirror: Deployed) -> None:
    mirror.replace(names.credential_secret("docker-hub"), **{"credential.json": b"{}"})


@fault(
    "upstream-credentials",
    "the token service of registry-1.docker.io is tokens.example.net, on another domain, which the registry refuses, "
    "so only cached images can be pulled",
)
def token_service_elsewhere(mirror: Deployed) -> None:
    with_account(mirror)
    mirror.upstream.realm = "https://tokens.example.net/token"


@fault("upstream-credentials", "https://registry-1.docker.io refuses the mirror's credentials (401)")
def revoked_password(mirror: Deployed) -> None:
    mirror.upstream.answers["/v2/"] = Answer(401, {"WWW-Authenticate": 'Basic realm="company"'}, b"")


@fault("upstream-credentials", "Secret ecr has no key password: pulls are anonymous")
def renewed_secret_without_a_password(mirror: Deployed) -> None:
    with_account(mirror, **{key: {"secret": {"name": "ecr", "key": key}} for key in ("username", "password")})
    mirror.cluster.put(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "ecr"}, "data": {"username": "QVdT"}}
    )


def with_account(mirror: Deployed, **credentials: Any) -> None:
    """Configure an account; by default one that deploy copies."""
    account = credentials or {"username": {"env": "HUB_NAME"}, "password": {"env": "HUB_TOKEN"}}
    reconfigure(mirror, upstreams=[{**samples.MINIMAL["upstreams"][0], "credentials": account}])


@fault("upstream-access", "https://registry-1.docker.io refuses the configured credentials (401)")
def wrong_account_before_deploy(mirror: Deployed) -> None:
    with_account(mirror, username={"env": "S3_ID"}, password={"env": "S3_SECRET"})


@fault("upstream-access", "https://registry-1.docker.io does not answer as a registry (404 to /v2/)")
def a_web_page(mirror: Deployed) -> None:
    mirror.http.hosts["https://registry-1.docker.io"] = lambda _: Answer(404, {}, b"<html>")


@fault("upstream-access", "the token service of registry-1.docker.io is ghcr.io, on another domain")
def a_vanity_name(mirror: Deployed) -> None:
    mirror.upstream.realm = "https://ghcr.io/token"


@fault("upstream-access", "the TLS certificate of registry-1.docker.io is not trusted")
def a_private_ca(mirror: Deployed) -> None:
    def untrusted(_: Request) -> Answer:
        hint = "for a private CA, set caBundle of the upstream docker-hub"
        raise UntrustedCertificateError("the TLS certificate of registry-1.docker.io is not trusted", hint=hint)

    mirror.http.hosts["https://registry-1.docker.io"] = untrusted


@fault(
    "upstream-private",
    "only the mirror's account can read library/alpine:3 at https://registry-1.docker.io, and the mirror serves it to "
    "everyone who reaches mirror.example.com",
)
def private_image(mirror: Deployed) -> None:
    mirror.upstream.private = {"library/alpine"}


@fault(
    "upstream-reachable",
    "the registry cannot reach https://registry-1.docker.io and serves cached content only (500): down",
)
def upstream_down(mirror: Deployed) -> None:
    answer(mirror, NO_BLOB, 500, b"down")


@fault("upstream-reachable", "tls: failed to verify certificate: x509: certificate signed by unknown authority")
def untrusted_upstream(mirror: Deployed) -> None:
    answer(mirror, NO_BLOB, 500, b"tls: failed to verify certificate: x509: certificate signed by unknown authority")


@fault("upstream-reachable", "proxyconnect tcp: dial tcp: lookup proxy: no such host")
def absent_proxy(mirror: Deployed) -> None:
    answer(mirror, NO_BLOB, 500, b"proxyconnect tcp: dial tcp: lookup proxy: no such host")


@fault("upstream-reachable", "the token service of registry-1.docker.io is tokens.lan, on another domain")
def token_service_of_an_anonymous_mirror_elsewhere(mirror: Deployed) -> None:
    mirror.upstream.realm = "https://tokens.lan/token"


@fault("upstream-quota", "9 of 100 pulls left in 6 hours")
def few_pulls(mirror: Deployed) -> None:
    headers = {"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "9;w=21600"}
    mirror.upstream.answers["/v2/ratelimitpreview/test/manifests/latest"] = Answer(200, headers, b"")
