"""Entries of the Secret with the accounts: what docker_auth reads of them, and which are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import SecretStr

from regmirror.desired.account_rules import account_warnings, rules_about
from regmirror.desired.user_accounts import UserAccount, docker_auth_users, parse_account, parse_accounts
from regmirror.errors import DamagedAccountError
from tests import samples

HASH = "$2b$10$" + "a" * 53
ALICE = UserAccount("alice", SecretStr(HASH), ("platform",), "2026-11-26T14:00:00Z")


def entry(**content: Any) -> bytes:
    return json.dumps({"password": HASH, "groups": []} | content).encode()


def test_an_entry_is_read_as_it_was_written() -> None:
    assert parse_account("alice", ALICE.entry()) == ALICE
    assert parse_account("alice", entry()) == UserAccount("alice", SecretStr(HASH))


def test_rules_find_accounts_by_labels_that_nobody_else_can_have() -> None:
    assert docker_auth_users([ALICE, UserAccount("bob", SecretStr(HASH))]) == {
        "": {},
        "alice": {"password": HASH, "labels": {"user": ["alice"], "groups": ["platform"]}},
        "bob": {"password": HASH, "labels": {"user": ["bob"], "groups": []}},
    }


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("alice", entry(password=None), "it has no password"),
        ("alice", entry(password=""), "it has no password"),
        ("alice", b'{"groups": []}', "it has no password"),
        ("alice", entry(password="canary"), "its password is not a bcrypt hash"),
        ("alice", entry(password=["canary"]), "its password is not a bcrypt hash"),
        ("alice", entry(password=HASH.replace("10", "13")), "the cost of its bcrypt hash is more than 12"),
        ("alice", entry(groups="canary"), "its groups are not a list"),
        ("alice", entry(groups=['"canary']), "the name of a group is not valid"),
        ("alice", entry(groups=[7]), "the name of a group is not valid"),
        ("alice", entry(labels={"user": ["canary"]}), "only the keys changed, groups, password"),
        ("alice", b"canary", "its value is not JSON"),
        ("alice", b"\xff", "its value is not JSON"),
        ("alice", b"[]", "its value is not an object"),
        ("_alice", entry(), "its name is not valid"),
    ],
)
def test_an_entry_that_is_not_an_account_is_refused_without_showing_it(name: str, content: bytes, problem: str) -> None:
    with pytest.raises(DamagedAccountError) as caught:
        parse_accounts({name: content, "bob": entry()})
    assert f"{name}: {problem}" in caught.value.message or problem in caught.value.message
    assert "canary" not in caught.value.message
    assert caught.value.hint
    assert caught.value.hint.endswith(f"regmirror user remove {name}")


def test_every_damaged_entry_is_named_at_once() -> None:
    with pytest.raises(DamagedAccountError) as caught:
        parse_accounts({"bob": b"", "alice": b"", "carol": entry()})
    assert caught.value.hint
    assert caught.value.hint.endswith("regmirror user remove alice bob")


RULES = [
    {"allow": ["acme/private/*"], "users": ["alice", "nobody"]},
    {"allow": ["acme/team/*"], "groups": ["platform"]},
]


def test_rules_and_accounts_without_each_other_are_named() -> None:
    mirror = samples.mirror(upstreams=[samples.document()["upstreams"][0] | {"rules": RULES}])
    assert rules_about(mirror, ALICE) == ["upstreams[0].rules[0]", "upstreams[0].rules[1]"]
    assert account_warnings(mirror, [ALICE, UserAccount("bob", SecretStr(HASH))]) == [
        'upstreams[0].rules[0].users: there is no account "nobody"; add it: regmirror user add nobody',
        'no rule names the account "bob" or a group of it: it may pull only what everyone may',
    ]


def test_a_rule_for_everyone_who_logs_in_names_every_account() -> None:
    rules = [{"allow": ["acme/**"], "users": ["*"]}]
    mirror = samples.mirror(upstreams=[samples.document()["upstreams"][0] | {"rules": rules}])
    assert account_warnings(mirror, [ALICE]) == []
