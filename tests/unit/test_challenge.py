"""A WWW-Authenticate header is parsed as clients parse it."""

from __future__ import annotations

import pytest

from regmirror.distribution.challenge import Challenge, parse_challenge

REALM = "https://mirror.example.com/auth"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f'Bearer realm="{REALM}",service="mirror.example.com"', Challenge(REALM, "mirror.example.com")),
        (
            f'Bearer realm="{REALM}", service="m", scope="repository:a/b:pull,push", error="invalid_token"',
            Challenge(REALM, "m", "repository:a/b:pull,push", "invalid_token"),
        ),
        (f'bearer REALM="{REALM}"', Challenge(REALM, "")),
        (r'Bearer realm="a\"b\\c",service="x"', Challenge('a"b\\c', "x")),
    ],
)
def test_a_bearer_challenge_is_parsed(header: str, expected: Challenge) -> None:
    assert parse_challenge(header) == expected


@pytest.mark.parametrize(
    "header", ["", "Bearer", 'Bearer service="x"', f'Basic realm="{REALM}"', f"Bearer realm={REALM}"]
)
def test_anything_else_is_not_a_challenge(header: str) -> None:
    assert parse_challenge(header) is None
