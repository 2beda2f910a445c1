"""The docker_auth configurations under test; each server is started once and shared by its cases."""

from collections.abc import Callable, Mapping
from typing import Any

from .signing_keys import KeyPair

ISSUER = "contract issuer"
SERVICE = "mirror.example"
LIFETIME = 300
ALICE = ("alice", "alice-password")
ROBOT = ("team-robot", "robot:password")
# The lowest cost of bcrypt, so that a wrong password is rejected in about a millisecond.
ALICE_HASH = "$2b$04$regmirrorcontracttesteNj09nnUERBGXfVvznQ9M.KwWfVxpfLO"
ROBOT_HASH = "$2b$04$regmirrorcontracttestevLJUKL0CNiOpSoiwy5tTJFgn/C/1u8a"

Configuration = Mapping[str, Any]


def entry(actions: list[str], **match: Any) -> dict[str, Any]:
    return {"match": match, "actions": actions}


def token_section(pair: KeyPair, **settings: Any) -> dict[str, Any]:
    files = {"certificate": str(pair.certificate), "key": str(pair.key)}
    return {"issuer": ISSUER, "expiration": LIFETIME, **files, **settings}


def mirror(pair: KeyPair) -> Configuration:
    """The configuration that regmirror deploys: anonymous pulls of some namespaces, users, the key ID of registry 3."""
    return {
        "token": token_section(pair, disable_legacy_key_id=True),
        "users": {
            "": {},
            "alice": {"password": ALICE_HASH},
            "team-robot": {"password": ROBOT_HASH},
            "open": {},
            "nobody": None,
        },
        "acl": [
            {**entry(["*"], account="alice", type="registry", name="catalog"), "comment": "alice may list"},
            entry(["pull"], account="team-robot", type="registry", name="catalog"),
            entry(["pull"], type="repository", name="library/*"),
            entry(["pull", "push"], account="team-robot", name="team/*"),
            entry(["*"], account="alice", name="everything/*"),
            entry(["*", "pull"], account="alice", name="star-among-others"),
        ],
    }


def patterns(pair: KeyPair) -> Configuration:
    """Every kind of pattern and variable."""
    return {
        "token": token_section(pair, disable_legacy_key_id=True),
        "users": {"": {}, "alice": {}, "bob.smith": {}, "carol@example.com": {}, "a+b": {}},
        "acl": [
            entry([], name="first/denied"),
            entry(["pull"], name="first/*"),
            entry(["push"], name="first/*"),
            entry(["pull"], service=SERVICE, name="by-service/*"),
            entry(["push"], service="other.*", name="by-service/*"),
            entry(["pull"], name=r"/^anchored\/.+$/"),
            entry(["pull"], name="/free/"),
            entry(["pull"], account="/.+/", name="${account}/*"),
            entry(["pull"], account="/^(.+)@example.com$/", name="mail/${account:1}"),
            entry(["pull"], account="/^(.+)@example.com$/", name="group/${account:2}"),
            entry(["pull"], account="/^(.+)@example.com$/", name="whole/${account:0}"),
            entry(["pull"], account="/^(.+)@example.com$/", name="capital/${Account:1}"),
            entry(["pull"], name=r"/^quoted\/${account}$/"),
            entry(["pull"], name="typed/${type}/${service}"),
            entry(["pull"], name="one-?"),
            entry(["pull"], name="set-[a-c]"),
            entry(["pull"], name="not-[^a-c]"),
            entry(["pull"], name=r"escaped-\*"),
            entry(["pull"], name="malformed-["),
            entry(["pull"], ip="127.0.0.0/8", name="from/loopback"),
            entry(["pull"], ip="127.0.0.1", name="from/address"),
            entry(["pull"], ip="192.0.2.0/24", name="from/elsewhere"),
            entry(["pull"], ip="::1", name="from/loopback-6"),
            entry(["pull"], account="", name="anonymous/only"),
            entry(["pull"], account="*", name="any/account"),
            entry(["pull"], type="re*", name="glob/type"),
            entry(["pull"], name="//"),
        ],
    }


def closed(pair: KeyPair) -> Configuration:
    """No anonymous user, nothing granted, and the key ID of registry 2."""
    return {"token": token_section(pair), "users": {"alice": {"password": ALICE_HASH}}, "acl": []}


def behind_ingress(pair: KeyPair) -> Configuration:
    """The client's address is the last entry of a header."""
    return {
        "server": {"real_ip_header": "X-Forwarded-For", "real_ip_pos": -1},
        "token": token_section(pair, disable_legacy_key_id=True),
        "users": {"": {}},
        "acl": [entry(["pull"], ip="192.0.2.0/24"), entry(["push"], ip="2001:db8::/32")],
    }


def third_hop(pair: KeyPair) -> Configuration:
    """The client's address is the third entry of a header."""
    return {**behind_ingress(pair), "server": {"real_ip_header": "X-Forwarded-For", "real_ip_pos": 2}}


def https(pair: KeyPair) -> Configuration:
    """TLS with the same key pair for the server and for tokens."""
    server = {"certificate": str(pair.certificate), "key": str(pair.key)}
    return {"server": server, "token": {"issuer": ISSUER, "expiration": LIFETIME}, "users": {"": {}}, "acl": []}


CONFIGURATIONS: Mapping[str, Callable[[KeyPair], Configuration]] = {
    build.__name__: build for build in (mirror, patterns, closed, behind_ingress, third_hop, https)
}
