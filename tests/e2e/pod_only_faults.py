"""Secrets that are as they should be, and pods that have read something else from them before."""

from tests.e2e.fault import Fault
from tests.e2e.harm import AUTH_FILE, REGISTRY_FILE, Change, Harm, configured, read_by_pods, secret, stranger


def _auth(change: Change) -> Harm:
    return read_by_pods(configured(AUTH_FILE, change), "regmirror-auth")


def _registry(change: Change) -> Harm:
    return read_by_pods(configured(REGISTRY_FILE, change), "regmirror-docker-hub")


def _strange_pair() -> Harm:
    pair = stranger()
    return secret("regmirror-signing", **{"tls.crt": pair.certificate_pem, "tls.key": pair.key_pem})


STALE = [
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
        "pods that sign by another key",
        "token-signature",
        "but the trust bundle contains only",
        lambda mirror: read_by_pods(_strange_pair(), "regmirror-auth")(mirror),
    ),
    Fault(
        "pods that have lost a rule",
        "token-grant",
        "/auth does not grant the pull of library/demo",
        _auth(lambda c: c["acl"].pop(0)),
    ),
    Fault(
        "pods that let everyone pull everything",
        "clients-unlisted-denied",
        "which anonymousPull does not allow",
        _auth(lambda c: c["acl"].append({"match": {"type": "repository"}, "actions": ["pull"]})),
    ),
    Fault(
        "pods that let everyone push",
        "clients-push-denied",
        "/auth grants everyone the push of library/demo",
        _auth(lambda c: c["acl"][0].update(actions=["pull", "push"])),
    ),
    Fault(
        "pods that take any password",
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
