"""Accounts of regmirror user at the real docker_auth: who gets which rights, and that no name opens another's."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import jwt
import pytest
from pydantic import SecretStr

from regmirror.desired.auth_config import auth_config
from regmirror.desired.user_accounts import UserAccount
from regmirror.users.password import hash_password
from tests import samples

from .configurations import token_section
from .programs import Program, Server, running
from .signing_keys import KeyPair

ALICE, BOB = ("alice", "correct horse battery"), ("bob", "b" * 72)
UPSTREAMS = [
    {
        "name": "hub",
        "anonymousPull": ["library/*"],
        "rules": [
            {"deny": ["acme/team/secret"], "users": ["bob"]},
            {"allow": ["acme/alice/*"], "users": ["alice"]},
            {"allow": ["acme/team/*"], "groups": ["plat form"]},
            {"allow": ["acme/all/*"], "users": ["*"]},
        ],
    },
    {"name": "quay", "url": "https://quay.io", "host": "quay.example.com", "anonymousPull": ["library/*"]},
]
REPOSITORIES = ("library/a", "acme/alice/a", "acme/team/a", "acme/team/secret", "acme/all/a", "other/a")


@pytest.fixture(scope="module")
def server(docker_auth: Program, key_pair: KeyPair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """docker_auth with the users and rules that a deployment writes."""
    accounts = [
        UserAccount(ALICE[0], hash_password(SecretStr(ALICE[1])), ("other", "plat form")),
        UserAccount(BOB[0], hash_password(SecretStr(BOB[1])), ("plat form",)),
    ]
    config = auth_config(samples.mirror(upstreams=UPSTREAMS), accounts)
    wanted = {"token": token_section(key_pair), "users": config["users"], "acl": config["acl"]}
    with running(docker_auth, wanted, Path(tmp_path_factory.mktemp("accounts")) / "config.yml") as started:
        yield started


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def pulls(server: Server, account: tuple[str, str] | None, service: str = samples.HOST) -> list[str]:
    """The repositories that an account may pull."""
    query = [("service", service), *(("scope", f"repository:{name}:pull,push") for name in REPOSITORIES)]
    answer = server.ask(f"/auth?{urlencode(query)}", headers=basic(*account) if account else {})
    assert answer.status == 200
    claims = jwt.decode(json.loads(answer.body)["token"], options={"verify_signature": False})
    assert all(access["actions"] in ([], ["pull"]) for access in claims["access"])
    return [access["name"] for access in claims["access"] if access["actions"]]


def test_an_account_may_pull_what_the_rules_allow_it_and_its_groups(server: Server) -> None:
    assert pulls(server, None) == ["library/a"]
    assert pulls(server, ALICE) == ["library/a", "acme/alice/a", "acme/team/a", "acme/team/secret", "acme/all/a"]
    assert pulls(server, BOB) == ["library/a", "acme/team/a", "acme/all/a"]


@pytest.mark.parametrize("account", [ALICE, BOB], ids=["alice", "bob"])
def test_the_rules_of_one_upstream_grant_nothing_at_another(server: Server, account: tuple[str, str]) -> None:
    assert pulls(server, account, "quay.example.com") == ["library/a"]
    assert pulls(server, account, "") == []


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("alice", "wrong"),
        ("alice", ""),
        ("alice", BOB[1]),
        ("nobody", ALICE[1]),
        ("Alice", ALICE[1]),
        ("*", ALICE[1]),
        ("${account}", ALICE[1]),
        ("bob", "b" * 71),
    ],
)
def test_nobody_else_gets_a_token(server: Server, user: str, password: str) -> None:
    assert server.ask(f"/auth?service={samples.HOST}", headers=basic(user, password)).status == 401


def test_a_name_without_a_password_is_refused(server: Server) -> None:
    """docker_auth compares an empty password then: the front must count such requests as logins."""
    for key in ("account", "%61ccount", "accoun%74"):
        assert server.ask(f"/auth?service={samples.HOST}&{key}=alice").status == 401


def test_another_account_than_that_of_the_password_is_refused(server: Server) -> None:
    query = urlencode({"service": samples.HOST, "account": "alice", "scope": "repository:acme/alice/a:pull"})
    assert server.ask(f"/auth?{query}", headers=basic(*BOB)).status == 400
