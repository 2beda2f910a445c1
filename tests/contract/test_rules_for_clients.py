"""docker_auth grants each client what ``decide`` says: generated rules, clients, networks and names, on both programs.

REGMIRROR_ACL_CASES sets the number of requests.
"""

import base64
import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest

from regmirror.config.access_decision import Client, decide
from regmirror.config.model import Mirror, Upstream
from regmirror.config.rule_limits import MOST_ENTRIES, entry_count
from regmirror.desired import names as deployed_names
from regmirror.desired.access_rules import GROUPS_LABEL, TEAMS_LABEL, USER_LABEL, access_rules
from regmirror.desired.auth_config import auth_config
from tests import samples

from .configurations import token_section
from .programs import Program, Server, running
from .signing_keys import KeyPair
from .test_access_lists import LISTS
from .test_allowed_repositories import names, pattern

GROUPS = ["platform", "a b", "a+b", "x*", "[x]", "${account}", "$", "{a}", "/^.+$/", "/x/", "Grüße", "team/core", "^a$"]
USERS = ["ci", "a.b", "A-b_c"]
SIGNED_IN = ["alice@example.com", "a+b@example.com", "${name}", "*", "x y", "/x/", "ci"]
NETWORKS = ["10.0.0.0/8", "10.1.0.0/16", "192.0.2.7/32", "0.0.0.0/0", "2001:db8::/32", "::/0", "2001:db8::7/128"]
ADDRESSES = [
    "10.1.2.3", "10.200.0.1", "192.0.2.7", "192.0.2.8", "2001:db8::7", "2001:db8:1::1", "fd00::1", "::ffff:10.1.2.3",
]  # fmt: skip
UPSTREAMS = 12


@dataclass(frozen=True)
class Account:
    """An account as docker_auth knows it; without the label ``user``, one of a sign-in provider."""

    name: str
    labels: Mapping[str, list[str]]

    def client(self, address: str) -> Client:
        """The same client for ``decide``."""
        groups = frozenset(self.labels.get(GROUPS_LABEL, []) + self.labels.get(TEAMS_LABEL, []))
        is_user = USER_LABEL in self.labels
        return Client(
            user=self.name if is_user else None,
            signed_in=self.name if self.name and not is_user else None,
            groups=groups,
            address=ip_address(address),
        )


def accounts(chance: random.Random) -> list[Account]:
    users = [Account(name, {USER_LABEL: [name], GROUPS_LABEL: some(chance, GROUPS)}) for name in USERS]
    # The last name could be mistaken for an account of the mirror, if rules matched the name of the account.
    people = [Account(name, {TEAMS_LABEL: some(chance, GROUPS)}) for name in (*SIGNED_IN, "robot") if name not in USERS]
    return [Account("", {}), *users, *people]


def some(chance: random.Random, values: list[str], least: int = 0) -> list[str]:
    return chance.sample(values, chance.randint(least, 3))


def wide(chance: random.Random) -> str:
    return chance.choice(["**", "acme/**", "*/*", "?*/**", pattern(chance), pattern(chance)])


def rule(chance: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {chance.choice(["allow", "allow", "deny"]): [wide(chance) for _ in range(2)]}
    for key, values in {"users": [*USERS, "robot", "*"], "groups": GROUPS, "signedIn": SIGNED_IN}.items():
        if chance.random() < 0.4:
            found[key] = some(chance, values, 1)
    if chance.random() < 0.4:
        found["from"] = some(chance, NETWORKS, 1)
    return found


def mirror_of(chance: random.Random) -> Mirror:
    """A mirror with many upstreams, each with rules of its own."""
    upstreams: list[dict[str, Any]] = [
        {
            "name": f"u{number}",
            "host": f"u{number}.example.com",
            "url": "https://registry.example.com",
            "anonymousPull": [pattern(chance) for _ in range(chance.randint(0, 1))],
            "deny": [pattern(chance) for _ in range(chance.randint(0, 1))],
            "rules": [rule(chance) for _ in range(chance.randint(1, 3))],
        }
        for number in range(UPSTREAMS)
    ]
    return samples.mirror(upstreams=upstreams, ingress={"trustedProxies": ["10.42.0.0/16"]})


def granted(
    server: Server, service: str, account: Account, sent: Sequence[tuple[str, str]], repositories: list[str]
) -> list[str]:
    """The repositories that a client may pull, which sends these headers."""
    headers = list(sent)
    if account.name:
        headers.append(("Authorization", "Basic " + base64.b64encode(f"{account.name}:any".encode()).decode()))
    scopes = [("scope", f"repository:{repository}:pull,push") for repository in repositories]
    answer = server.ask("/auth?" + urlencode([("service", service), *scopes]), headers=headers)
    assert answer.status == 200, answer.body
    claims = jwt.decode(json.loads(answer.body)["token"], options={"verify_signature": False})
    assert claims["sub"] == account.name
    assert all(access["actions"] in ([], ["pull"]) for access in claims["access"])
    return [access["name"] for access in claims["access"] if access["actions"]]


def expected(upstream: Upstream, client: Client, repositories: list[str]) -> list[str]:
    return [name for name in repositories if decide(upstream, name, client).allowed]


CLIENTS = 6
MIRRORS = -(-LISTS // (UPSTREAMS * CLIENTS))


@pytest.mark.parametrize("start", range(MIRRORS))
def test_clients_get_what_the_rules_decide(start: int, program: Program, key_pair: KeyPair, tmp_path: Path) -> None:
    chance = random.Random(start)  # noqa: S311  a fixed seed makes all runs equal
    mirror, known = mirror_of(chance), accounts(chance)
    configuration = {
        "server": {key: value for key, value in auth_config(mirror)["server"].items() if key != "addr"},
        "token": token_section(key_pair),
        # Without a password, docker_auth accepts any.
        "users": {account.name: {"labels": dict(account.labels)} for account in known},
        "acl": access_rules(mirror),
    }
    compared = {True: 0, False: 0}
    with running(program, configuration, tmp_path / "auth_config.yml") as server:
        for upstream in mirror.upstreams:
            for account in [known[0], *chance.sample(known[1:], CLIENTS - 1)]:
                address, repositories = chance.choice(ADDRESSES), names(chance)
                allowed = expected(upstream, account.client(address), repositories)
                sent = [(deployed_names.CLIENT_ADDRESS_HEADER, address)]
                found = granted(server, mirror.host_of(upstream), account, sent, repositories)
                assert found == allowed, (account, address, upstream.rules)
                compared[True] += len(allowed)
                compared[False] += len(repositories) - len(allowed)
    assert min(compared.values()) > 100, "names that are all allowed, or all denied, prove nothing"


LONGEST_REQUEST, GROUPS_OF_ONE = 350, 20
PATIENCE = 60.0
"""Seconds; on an idle core it takes the real program 9."""


def test_the_longest_request_is_answered_with_as_many_rules_as_are_allowed(
    docker_auth: Program, key_pair: KeyPair, tmp_path: Path
) -> None:
    """The front accepts a URL of 16 KiB. Every entry is compared with every group of the account."""
    many = [f"group {number}" for number in range(MOST_ENTRIES // 2)]
    mirror = samples.mirror(upstreams=[{"name": "hub", "rules": [{"allow": ["*/*"], "groups": many}]}])
    assert entry_count(mirror.upstreams[0]) == MOST_ENTRIES
    account = Account("eve", {USER_LABEL: ["eve"], GROUPS_LABEL: [f"other {n}" for n in range(GROUPS_OF_ONE)]})
    configuration = {
        "token": token_section(key_pair),
        "users": {account.name: {"labels": dict(account.labels)}},
        "acl": access_rules(mirror),
    }
    with running(docker_auth, configuration, tmp_path / "auth_config.yml") as server:
        begin = time.monotonic()
        assert granted(server, mirror.host, account, [], [f"library/{n}" for n in range(LONGEST_REQUEST)]) == []
        assert time.monotonic() - begin < PATIENCE
