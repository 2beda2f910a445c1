"""Patterns that cross slashes, patterns that deny, and what two patterns have in common."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from regmirror.config.access_decision import refusal
from regmirror.config.fields import RepositoryPattern
from regmirror.config.file_warnings import file_warnings, risk_warnings
from regmirror.config.load import parse_file
from regmirror.config.patterns import covers, docker_auth_pattern, matches, shared_name
from regmirror.config.validation_messages import value_problem
from regmirror.desired.access import is_allowed, refused_samples
from regmirror.desired.access_rules import access_rules
from tests import samples
from tests.contract.access_model import Request, granted

PARTS = st.sampled_from(["a", "b", "ab", "a.b", "*", "?", "a*", "*b", "a?", "?*", "**"])
PATTERNS = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
NAMES = st.lists(st.sampled_from(["a", "b", "ab", "ba", "a.b", "axb", "abab"]), min_size=1, max_size=4).map("/".join)
SHORT_NAMES = [
    "/".join(parts)
    for depth in range(1, 5)
    for parts in itertools.product(["a", "b", "ab", "aab", "x", "a.b"], repeat=depth)
]


@pytest.mark.parametrize(
    ("pattern", "name", "allowed"),
    [
        ("acme/**", "acme/tool", True),
        ("acme/**", "acme/team/tool", True),
        ("acme/**", "acme/a/b/c/d/e", True),
        ("acme/**", "acme", False),
        ("acme/**", "acme/", False),
        ("acme/**", "acme-2/tool", False),
        ("acme/**", "other/acme/tool", False),
        ("acme/**", "acme/tool\n", False),
        ("**", "pause", True),
        ("**", "a/b/c", True),
        ("**/tool", "acme/team/tool", True),
        ("**/tool", "tool", False),
        ("acme/**/tool", "acme/a/b/tool", True),
        ("acme/**/tool", "acme/tool", False),
        ("a.b/**", "axb/c", False),
        ("acme/**/v?-*", "acme/a/v1-x", True),
        ("acme/**/v?-*", "acme/a/v1-x/y", False),
    ],
)
def test_two_stars_cross_slashes(pattern: str, name: str, allowed: bool) -> None:
    assert matches(pattern, name) is allowed
    upstreams = [{"name": "ghcr", "url": "https://ghcr.io", "anonymousPull": [pattern]}]
    assert is_allowed(samples.mirror(upstreams=upstreams).upstreams[0], name) is allowed


def test_docker_auth_gets_an_anchored_expression() -> None:
    assert docker_auth_pattern("acme/**") == "/^acme/.+$/"
    assert docker_auth_pattern("a.b-c/*/**/v?") == r"/^a\.b-c/[^/]*/.+/v[^/]$/"
    assert docker_auth_pattern("acme/*") == "acme/*"


@pytest.mark.parametrize("pattern", ["acme**", "acme/***", "a/**b/c"])
def test_two_stars_are_a_whole_part(pattern: str) -> None:
    problem = value_problem(RepositoryPattern, pattern)
    assert problem is not None
    assert "** must be a whole part, such as acme/**" in problem


@given(allow=st.lists(PATTERNS, max_size=3), deny=st.lists(PATTERNS, max_size=2), name=NAMES)
@example(allow=["a/**"], deny=["a/b/**"], name="a/b/a")
def test_docker_auth_grants_what_the_configuration_allows(allow: list[str], deny: list[str], name: str) -> None:
    upstream = {"name": "ghcr", "url": "https://ghcr.io", "anonymousPull": allow, "deny": deny}
    mirror = samples.mirror(upstreams=[upstream])
    request = Request("", "repository", name, mirror.host, ["pull", "push"])
    expected = ["pull"] if is_allowed(mirror.upstreams[0], name) else []
    assert granted(access_rules(mirror), request) == expected


@given(wider=PATTERNS, narrower=PATTERNS)
@example(wider="a/**", narrower="a/*")
@example(wider="*", narrower="**")
@example(wider="a/?", narrower="a/*")
def test_a_pattern_covers_what_it_matches_in_full(wider: str, narrower: str) -> None:
    if covers(wider, narrower):
        assert all(matches(wider, name) for name in SHORT_NAMES if matches(narrower, name))


@pytest.mark.parametrize(
    ("wider", "narrower", "covered"),
    [
        ("acme/**", "acme/*", True),
        ("acme/**", "acme/team/**", True),
        ("acme/**", "acme/tool", True),
        ("**", "*", True),
        ("**", "a/**/b", True),
        ("acme/*", "acme/tool-?", True),
        ("acme/*", "acme/**", False),
        ("acme/tool-?", "acme/tool-*", False),
        ("*/*", "**", False),
        ("acme/**/**", "acme/**", False),
    ],
)
def test_which_pattern_covers_which(wider: str, narrower: str, covered: bool) -> None:
    assert covers(wider, narrower) is covered


@given(first=PATTERNS, second=PATTERNS)
def test_a_shared_name_matches_both_and_is_found_if_there_is_one(first: str, second: str) -> None:
    name = shared_name(first, second)
    if name is None:
        assert not [found for found in SHORT_NAMES if matches(first, found) and matches(second, found)]
    else:
        assert matches(first, name)
        assert matches(second, name)


def test_deny_overrides_what_is_allowed() -> None:
    denied = {"name": "hub", "anonymousPull": ["acme/**"], "deny": ["acme/internal/**", "acme/*-dev"]}
    upstream = samples.mirror(upstreams=[denied]).upstreams[0]
    assert refusal(upstream, "acme/tool") is None
    assert refusal(upstream, "acme/internal/a/b") == "deny[0] refuses acme/internal/a/b (acme/internal/**)"
    assert refusal(upstream, "acme/tool-dev") == "deny[1] refuses acme/tool-dev (acme/*-dev)"
    assert refusal(upstream, "other/x") == "anonymousPull does not allow other/x (acme/**)"


def test_deny_rules_come_first_and_hold_for_their_own_upstream() -> None:
    first = {"name": "hub", "anonymousPull": ["acme/*"], "deny": ["acme/secret"]}
    second = {"name": "ghcr", "url": "https://ghcr.io", "host": "g.example.com", "anonymousPull": ["acme/secret"]}
    rules = access_rules(samples.mirror(upstreams=[first, second]))
    assert [(rule["match"]["name"], rule["match"]["service"], rule["actions"]) for rule in rules] == [
        ("acme/secret", "mirror.example.com", []),
        ("acme/*", "mirror.example.com", ["pull"]),
        ("acme/secret", "g.example.com", ["pull"]),
    ]


def test_what_only_deny_refuses_has_a_sample() -> None:
    upstream = {"name": "hub", "anonymousPull": ["acme/*", "library/*"], "deny": ["*/secret-*", "other/*"]}
    assert refused_samples(samples.mirror(upstreams=[upstream]).upstreams[0]) == {"acme/secret-x": "deny refuses"}


FILE = """\
apiVersion: regmirror.dev/v1alpha1
kind: Mirror
host: mirror.example.com
storage: {bucket: layers, region: eu-central-1}
upstreams:
  - name: one
"""


def warnings_of(upstream: str) -> list[str]:
    mirror, root = parse_file(FILE + "".join(f"    {line}\n" for line in upstream.split("; ")), "mirror.yaml")
    return [f"{problem}" for problem in file_warnings(mirror, root)]


GHCR = "url: https://ghcr.io; "


@pytest.mark.parametrize(
    ("upstream", "warning"),
    [
        (f"{GHCR}anonymousPull: ['*']", '[0]: "*" never matches: every repository of ghcr.io is named OWNER/NAME'),
        (f"{GHCR}anonymousPull: [tool]", '[0]: "tool" never matches: every repository of ghcr.io is named OWNER/NAME'),
        (
            "url: https://europe-docker.pkg.dev; anonymousPull: [acme/*]",
            '[0]: "acme/*" never matches: every repository of europe-docker.pkg.dev is named PROJECT/REPOSITORY/NAME',
        ),
        (
            "url: https://registry.example.com; anonymousPull: ['*']",
            '[0]: "*" matches only names without a "/": write "**" for every repository',
        ),
        ("anonymousPull: [acme/a/**]", '[0]: "acme/a/**" never matches: every repository of Docker Hub is named'),
        (
            f"{GHCR}anonymousPull: [acme/**, acme/x/*]",
            '[1]: "acme/x/*" has no effect: the earlier pattern "acme/**" matches the same',
        ),
        (
            f"{GHCR}anonymousPull: [acme/x/*]; deny: [acme/**]",
            '[0]: "acme/x/*" has no effect: deny refuses all of it with "acme/**"',
        ),
        (f"{GHCR}anonymousPull: [acme/*]; deny: [other/**]", 'deny[0]: "other/**" has no effect: anonymousPull allows'),
        (f"{GHCR}anonymousPull: [a/b]; deny: [ghcr.io/a/b]", 'deny[0]: "ghcr.io/a/b" never matches: no repository'),
    ],
)
def test_a_pattern_that_does_not_mean_what_it_seems_to_is_a_warning(upstream: str, warning: str) -> None:
    assert any(warning in found for found in warnings_of(upstream))


@pytest.mark.parametrize(
    "upstream",
    [
        f"{GHCR}anonymousPull: ['**']; deny: [acme/**]",
        f"{GHCR}anonymousPull: [acme/**]; deny: ['**/internal-*']",
        "anonymousPull: ['**']",
        "anonymousPull: [acme/**]",
        "url: https://dhi.io; anonymousPull: ['*']",
        "url: https://registry.k8s.io; anonymousPull: ['*', '*/*']",
    ],
)
def test_patterns_that_work_are_no_warning(upstream: str) -> None:
    assert warnings_of(upstream) == []


def test_what_deny_refuses_is_not_published() -> None:
    account = {"username": {"env": "NAME"}, "password": {"env": "PASSWORD"}}
    upstream = {"name": "hub", "anonymousPull": ["acme/*"], "credentials": account}
    assert risk_warnings(samples.mirror(upstreams=[upstream]))
    assert risk_warnings(samples.mirror(upstreams=[upstream | {"deny": ["acme/**"]}])) == []
