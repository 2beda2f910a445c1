"""Checks of the registry's own endpoints."""

import json
import secrets
from datetime import timedelta

from regmirror.config.model import Upstream
from regmirror.ports.http import Answer
from regmirror.registry.challenge import parse_challenge
from regmirror.signing.tokens import CATALOG, Claims, sign_token
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, UpstreamCheck
from regmirror.verify.subject import Subject

_DEPLOY = "bring the cluster back to the file: regmirror deploy"
_CATALOG_PATH = "/v2/_catalog?n=100"


def _challenge(subject: Subject, upstream: Upstream) -> Outcome:
    return _challenged(subject, upstream, subject.client(upstream).request("GET", "/v2/"), "/v2/")


def _catalog_denied(subject: Subject, upstream: Upstream) -> Outcome:
    answer = subject.client(upstream).request("GET", _CATALOG_PATH)
    return _challenged(subject, upstream, answer, "/v2/_catalog")


def _challenged(subject: Subject, upstream: Upstream, answer: Answer, path: str) -> Outcome:
    challenge = parse_challenge(answer.headers.get("www-authenticate", ""))
    if answer.status != 401:
        return Failed(f"{path} answered {answer.status} to a client without a token, instead of 401", _DEPLOY)
    if challenge is None or challenge.realm != subject.realm(upstream):
        sent = challenge.realm if challenge else "nowhere"
        return Failed(f"{path} sends clients to {sent} instead of {subject.realm(upstream)}", _DEPLOY)
    return Passed(f"401, realm {challenge.realm}")


def _catalog(subject: Subject, upstream: Upstream) -> Outcome:
    """Nobody has a standing right to the catalog, so the token is signed here, with the cluster's own key."""
    claims = Claims(
        issuer=subject.mirror.auth.issuer,
        service=subject.mirror.host_of(upstream),
        subject="regmirror verify",
        access=(CATALOG,),
        issued_at=subject.now(),
        lifetime=timedelta(minutes=1),
        token_id=secrets.token_hex(8),
    )
    token = sign_token(claims, subject.signing_pair().private_key)
    answer = subject.client(upstream).request("GET", _CATALOG_PATH, token)
    if answer.status != 200:
        return Failed(f"/v2/_catalog answered {answer.status} to a token that grants it", _DEPLOY)
    try:
        repositories = json.loads(answer.body)["repositories"] or []
    except (ValueError, KeyError, TypeError):
        return Failed("/v2/_catalog answered something that is no catalog", _DEPLOY)
    return Passed(f"{len(repositories)} cached repositor{'y' if len(repositories) == 1 else 'ies'}")


CHECKS: tuple[Check, ...] = (
    UpstreamCheck(
        "registry-challenge", "/v2/ sends clients to our realm", Category.REGISTRY, _challenge, needs=("tls-host",)
    ),
    UpstreamCheck(
        "registry-catalog-denied",
        "the catalog is closed to clients without a token",
        Category.REGISTRY,
        _catalog_denied,
        needs=("tls-host",),
    ),
    UpstreamCheck(
        "registry-catalog",
        "the catalog opens to a token that grants it",
        Category.REGISTRY,
        _catalog,
        needs=("token-accepted",),
    ),
)
