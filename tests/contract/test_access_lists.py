"""Generated access lists: both programs grant the same actions as the model.

Starting a program for each list is slow, so one server has a batch of lists: all entries of a list match only its own
service, so that a request for that service uses only this list. REGMIRROR_ACL_CASES sets the number of lists.
"""

import json
import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest

from .access_model import Request, glob_matches, granted
from .configurations import entry, token_section
from .programs import Program, Server, running
from .signing_keys import KeyPair

LISTS = int(os.environ.get("REGMIRROR_ACL_CASES", "200"))
BATCH = 50
BATCHES = range(0, LISTS, BATCH)

ACCOUNTS = ["", "alice", "bob.smith", "a+b", "carol@example.com", "[x]", "*"]
TYPES = ["repository", "registry"]
NAMES = [
    "library/demo", "library/a/b", "library", "library/", "catalog", "demo", "*", "alice/app", "bob.smith/app",
    "bobxsmith/app", "a+b/app", "aab/app", "carol/app", "carol@example.com/app", "[x]/app", "x/app", "repository/app",
    "a", "b", "-", "^", "", "a-b_c.d", "team/carol/app",
]  # fmt: skip
ACTIONS = ["pull", "push", "delete", "*", ""]
ACCOUNT_PATTERNS = [
    "", "*", "?*", "alice", "al?ce", "[a-b]*", "[^a]*", "/.+/", "/^a/", "/^$/", "/^(.+)@(.+)$/", "/(a)|(b)/",
    "${account}", "${name}", "*@*", r"\*", "[",
]  # fmt: skip
TYPE_PATTERNS = ["repository", "registry", "re*", "*", "/^re/", "${type}", "x"]
NAME_PATTERNS = [
    *NAMES, "library/*", "*/*", "*/*/*", "lib*/d?mo", "?", "[ab]", "[^ab]", "[^^]", r"[\]^]", "[a-]", "[]", r"\a",
    "a\\", "/demo/", r"/^library\/.+$/", r"/^library\/[^\/]+$/", "/^[a-z.]+$/", "//", "/", r"/^${account}\/app$/",
    "${account}", "${account}/*", "*/${type}", "${type}/*", "${service}/*", "${name}", "${name:1}", "${nothing}",
    "${account:1}/*", "${account:2}/*", "${account:1}*", "team/${account:1}/*", "/${account:1}/", "${ip:1}",
    "${account}/${account:1}",
]  # fmt: skip
LABELS: dict[str, dict[str, list[str]]] = {
    "alice": {"groups": ["platform", "a+b", "${account}", "x/y"], "teams": ["core"]},
    "bob.smith": {"groups": ["bob.smith", "*"], "user": ["bob.smith"]},
    "[x]": {"groups": []},
}
"""By account; the others have none."""
LABEL_PATTERNS = [
    "platform", "plat*", "*", "?*", "/^.+$/", "/^(a|core)/", "/a/", "${account}", "/^${account}$/", r"a+b", r"x\/y",
    r"\*", "${account:1}", r"$\{account}", "[", "",
]  # fmt: skip
NETWORKS = ["127.0.0.1", "127.0.0.0/8", "10.0.0.0/8", "::1", "::/0", "0.0.0.0/0"]


@dataclass(frozen=True)
class Question:
    """One access list, and one request of an account for several scopes."""

    service: str
    acl: list[dict[str, Any]]
    account: str
    scopes: list[tuple[str, str, list[str]]]

    def expected(self) -> list[list[str]]:
        labels = LABELS.get(self.account, {})
        return [
            granted(self.acl, Request(self.account, kind, name, self.service, actions, labels=labels))
            for kind, name, actions in self.scopes
        ]

    def target(self) -> str:
        scopes = [("scope", f"{kind}:{name}:{','.join(actions)}") for kind, name, actions in self.scopes]
        return "/auth?" + urlencode([("service", self.service), ("account", self.account), *scopes])


def generated(chance: random.Random, service: str) -> Question:
    scopes = [
        (chance.choice(TYPES), chance.choice(NAMES), chance.choices(ACTIONS, k=chance.randint(1, 3))) for _ in range(6)
    ]
    acl = [generated_entry(chance, service) for _ in range(chance.randint(1, 5))]
    return Question(service, acl, chance.choice(ACCOUNTS), scopes)


def generated_entry(chance: random.Random, service: str) -> dict[str, Any]:
    match: dict[str, Any] = {"service": service}
    choices = {"account": ACCOUNT_PATTERNS, "type": TYPE_PATTERNS, "name": NAME_PATTERNS, "ip": NETWORKS}
    for (key, patterns), likelihood in zip(choices.items(), (0.5, 0.3, 0.8, 0.1), strict=True):
        if chance.random() < likelihood:
            match[key] = chance.choice(patterns)
    if chance.random() < 0.3:
        names = chance.sample(["groups", "teams", "user"], chance.choice([1, 1, 2]))
        match["labels"] = {name: chance.choice(LABEL_PATTERNS) for name in names}
    return entry(chance.choices(ACTIONS[:-1], k=chance.randint(0, 3)), **match)


def batch(start: int) -> list[Question]:
    chance = random.Random(start)  # noqa: S311  a fixed seed makes all runs equal
    return [generated(chance, f"list-{number}") for number in range(start, min(start + BATCH, LISTS))]


def answered(server: Server, question: Question) -> list[list[str]]:
    answer = server.ask(question.target())
    claims = jwt.decode(json.loads(answer.body)["token"], options={"verify_signature": False})
    return [access["actions"] for access in claims["access"]]


@pytest.mark.parametrize("start", BATCHES)
def test_generated_lists_grant_what_the_model_grants(
    start: int, program: Program, key_pair: KeyPair, tmp_path: Path
) -> None:
    questions = batch(start)
    configuration = {
        "token": token_section(key_pair),
        "users": {account: {"labels": LABELS[account]} if account in LABELS else {} for account in ACCOUNTS},
        "acl": [acl_entry for question in questions for acl_entry in question.acl],
    }
    with running(program, configuration, tmp_path / "auth_config.yml") as server:
        wrong = [question for question in questions if answered(server, question) != question.expected()]
    assert not wrong


def test_the_generated_lists_grant_some_things_and_deny_others() -> None:
    """Lists that never or always grant would not be a test."""
    answers = [bool(actions) for start in BATCHES for question in batch(start) for actions in question.expected()]
    assert 0.1 < sum(answers) / len(answers) < 0.9


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("a/*", "a/b", True),
        ("a/*", "a/b/c", False),
        ("*", "", True),
        ("a[^b]c", "a/c", True),
        ("a?c", "a/c", False),
        ("[a-]", "-", False),
        ("[]a]", "]", False),
        (r"[\]]", "]", True),
        ("[a^]", "^", True),
        ("[^^]", "^", False),
        ("[[]", "[", True),
        (r"\*", "*", True),
        ("a\\", "a\\", False),
        ("x*y[", "x", False),
        ("{a}", "{a}", True),
    ],
)
def test_the_model_reads_globs_as_go_does(pattern: str, name: str, matches: bool) -> None:
    assert glob_matches(pattern, name) is matches
