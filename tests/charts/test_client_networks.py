"""Which addresses share the limits of one client: those that one machine can choose from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from .front import configuration
from .helm import Helm
from .test_front import Front, run

_ADDRESSES = [
    ("192.0.2.7", "192.0.2.8", False),
    ("2001:db8::1", "2001:db8::ffff:ffff:ffff:1", True),
    ("2001:db8::1", "2001:db8:0:1::1", False),
    # A line feed in binary form
    ("2001:db8:a0a:a0a:a0a::1", "2001:db8:a0a:a0a::2", True),
    # nginx listens on IPv6 for both, so this is how each IPv4 client of a Service arrives.
    ("::ffff:192.0.2.7", "::ffff:192.0.2.8", False),
    ("::ffff:192.0.2.7", "192.0.2.7", True),
    # Translated on the way to a cluster with IPv6 only (RFC 6052)
    ("64:ff9b::c000:207", "64:ff9b::c000:208", False),
]


def _values(**more: Any) -> dict[str, Any]:
    return {"front": {"trustedProxies": ["127.0.0.0/8"]}, **more}


def _statuses(front: Front, path: str, addresses: list[str]) -> list[int]:
    return [front.ask("GET", path, {"X-Forwarded-For": address}).status for address in addresses]


@pytest.mark.parametrize("chart", ["auth", "registry"])
@pytest.mark.parametrize(("first", "second", "is_one_client"), _ADDRESSES)
def test_one_machine_is_one_client(
    helm3: Helm, tmp_path: Path, chart: str, first: str, second: str, *, is_one_client: bool
) -> None:
    text = configuration(helm3, chart, _values())
    text = re.sub(r"(zone=requests_of_client:\S+ )rate=\d+r/s", r"\1rate=1r/m", text)
    text = re.sub(r"(zone=requests_of_client )burst=\d+", r"\1burst=1", text)
    with run(text, chart, tmp_path) as front:
        path = {"auth": "/auth?service=x", "registry": "/v2/"}[chart]
        found = _statuses(front, path, [first, first, second])
        assert [status == 429 for status in found] == [False, False, is_one_client]


def test_logins_and_sign_ins_are_counted_in_the_same_way(helm3: Helm, tmp_path: Path) -> None:
    """One machine tries passwords and codes, each with another address."""
    addresses = [f"2001:db8::{number:x}" for number in range(1, 60)]
    text = configuration(helm3, "auth", _values(signIn={"provider": "github"})).replace("burst=40 delay=20", "nodelay")
    with run(text, "auth", tmp_path) as front:
        for path in ("/auth?service=x&account=alice", "/github_auth?code=x"):
            assert _statuses(front, path, addresses).count(429) >= 30
            assert _statuses(front, path, ["2001:db8:1::1"]) == [200]
