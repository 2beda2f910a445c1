"""Faults in the pods only: they have read something else from Secrets that are right again."""

from tests.e2e.fault import Fault
from tests.e2e.inject import (
    AUTH_FILE,
    REGISTRY_FILE,
    Change,
    InjectFault,
    configured,
    read_by_pods,
    secret,
    untrusted_key_pair,
)


def _auth(change: Change) -> InjectFault:
    return read_by_pods(configured(AUTH_FILE, change), "regmirror-auth")


def _registry(change: Change) -> InjectFault:
    return read_by_pods(configured(REGISTRY_FILE, change), "regmirror-docker-hub")


def _strange_pair() -> InjectFault:
    pair = untrusted_key_pair()
    return secret("regmirror-signing", **{"tls.crt": pair.certificate_pem, "tls.key": pair.key_pem})


POD_ONLY = [
    Fault(
        "pods that sign as another issuer",
        "token-claims",
        'the token\'s issuer is "x"',
        _auth(lambda c: c["token"].update(issuer="x")),
    ),
    Fault(
        "pods that sign for a day",
        "token-lifetime",
        "tokens are valid for 86400 s",
        _auth(lambda c: c["token"].update(expiration=86400)),
    ),
    Fault(
        "pods that sign with another key",
        "token-signature",
        "but the trust bundle contains only",
        lambda mirror: read_by_pods(_strange_pair(), "regmirror-auth")(mirror),
    ),
    Fault(
        "pods with a missing rule",
        "token-grant",
        "/auth does not grant the pull of library/demo",
        _auth(lambda c: c["acl"].pop(0)),
    ),
    Fault(
        "pods that allow every pull",
        "clients-unlisted-denied",
        "which anonymousPull does not allow",
        _auth(lambda c: c["acl"].append({"match": {"type": "repository"}, "actions": ["pull"]})),
    ),
    Fault(
        "pods that allow pushes",
        "clients-push-denied",
        "/auth grants everyone the push of library/demo",
        _auth(lambda c: c["acl"][0].update(actions=["pull", "push"])),
    ),
    Fault(
        "pods that accept any password",
        "clients-credentials",
        "/auth answered 200 instead of 401",
        _auth(lambda c: c["users"].update({"regmirror-verify": {}})),
    ),
    Fault(
        "pods that expect another issuer",
        "token-accepted",
        "its pods have read another issuer",
        _registry(lambda c: c["auth"]["token"].update(issuer="x")),
    ),
    Fault(
        "pods that send clients elsewhere",
        "registry-challenge",
        "sends clients to https://x/auth",
        _registry(lambda c: c["auth"]["token"].update(realm="https://x/auth")),
    ),
]
