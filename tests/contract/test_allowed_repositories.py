"""docker_auth grants exactly the repositories that the configuration allows: generated patterns, on both programs.

REGMIRROR_ACL_CASES sets the number of configurations.
"""

import json
import random
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jwt

from regmirror.config.model import Mirror, Upstream
from regmirror.desired.access import is_allowed
from regmirror.desired.access_rules import access_rules
from tests import samples

from .configurations import token_section
from .programs import Program, Server, running
from .signing_keys import KeyPair
from .test_access_lists import LISTS

PARTS = ["acme", "a.b", "a-b_c", "v1", "*", "?", "a*", "*-b*", "v?", "**", "**"]
NAME_PARTS = ["acme", "a.b", "axb", "a-b_c", "v1", "v", "x", "tool"]
WRITTEN = [
    "acme",
    "acme/",
    "acme/tool",
    "acme/a/b",
    "acme/a/b/c/d",
    "a/acme/b",
    "acmex/a",
    "acme/a\nb",
    "acme/a/b\n",
    "/",
]


def pattern(chance: random.Random) -> str:
    return "/".join(chance.choices(PARTS, k=chance.randint(1, 3)))


def mirror_of(start: int) -> Mirror:
    """A mirror with many upstreams, each with patterns of its own; the first is that of the guides."""
    chance = random.Random(start)  # noqa: S311  a fixed seed makes all runs equal
    upstreams: list[dict[str, Any]] = [
        {"anonymousPull": ["acme/**"], "deny": ["acme/secret/**", "acme/*-dev"]},
        {"anonymousPull": ["**"], "deny": ["**/b"]},
    ]
    upstreams += [
        {
            "anonymousPull": [pattern(chance) for _ in range(2)],
            "deny": [pattern(chance) for _ in range(chance.randint(0, 1))],
        }
        for _ in range(30)
    ]
    named = [
        {"name": f"u{number}", "host": f"u{number}.example.com", "url": "https://registry.example.com", **upstream}
        for number, upstream in enumerate(upstreams)
    ]
    return samples.mirror(upstreams=named)


def names(chance: random.Random) -> list[str]:
    drawn = ["/".join(chance.choices(NAME_PARTS, k=chance.randint(1, 4))) for _ in range(10)]
    return [*WRITTEN, "acme/secret/a", "acme/tool-dev", *drawn]


def granted(server: Server, mirror: Mirror, upstream: Upstream, repositories: list[str]) -> list[str]:
    scopes = [("scope", f"repository:{repository}:pull,push") for repository in repositories]
    answer = server.ask("/auth?" + urlencode([("service", mirror.host_of(upstream)), *scopes]))
    claims = jwt.decode(json.loads(answer.body)["token"], options={"verify_signature": False})
    assert all(access["actions"] in ([], ["pull"]) for access in claims["access"])
    return [access["name"] for access in claims["access"] if access["actions"]]


def test_the_repositories_that_a_configuration_allows(program: Program, key_pair: KeyPair, tmp_path: Path) -> None:
    compared = {True: 0, False: 0}
    for start in range(max(LISTS // 50, 1)):
        mirror = mirror_of(start)
        chance = random.Random(start)  # noqa: S311
        configuration = {"token": token_section(key_pair), "users": {"": {}}, "acl": access_rules(mirror)}
        with running(program, configuration, tmp_path / f"{start}.yml") as server:
            for upstream in mirror.upstreams:
                repositories = names(chance)
                expected = [name for name in repositories if is_allowed(upstream, name)]
                assert granted(server, mirror, upstream, repositories) == expected, upstream
                compared[True] += len(expected)
                compared[False] += len(repositories) - len(expected)
    assert min(compared.values()) > 100, "names that are all allowed, or all denied, prove nothing"
