"""Which token services the registry uses, as distribution decides it."""

from __future__ import annotations

import pytest

from regmirror.config.realms import is_realm_allowed, registrable_domain


@pytest.mark.parametrize(
    ("url", "realm", "allowed"),
    [
        # The cases of distribution's own test (registry/proxy/proxyauth_test.go), and of reports.
        ("https://registry-1.docker.io", "https://auth.docker.io/token", True),
        ("https://registry.gitlab.com", "https://gitlab.com/jwt/auth", True),
        ("https://lscr.io", "https://ghcr.io/token", False),
        ("https://ghcr.io", "https://ghcr.io/token", True),
        ("https://registry.corp.lan", "https://gitlab.corp.lan/jwt/auth", True),
        ("https://registry.lan", "https://gitlab.lan/jwt/auth", False),
        ("https://registry.example.com", "https://tokens.other.test/token", False),
        ("https://registry.example.com", "https://evil-example.com/token", False),
        # The same host and port are always allowed, addresses included.
        ("http://10.0.0.9:5000", "http://10.0.0.9:5000/token", True),
        ("http://10.0.0.9:5000", "http://10.0.0.9:5001/token", False),
        ("http://localhost:5000", "http://localhost:5001/token", False),
        ("https://[fd00::1]", "https://[fd00::2]/token", False),
        ("https://registry.example.com:5000", "https://registry.example.com/token", True),
        # Names of one label have no registrable domain, which makes them equal.
        ("http://registry:5000", "http://tokens:5001/token", True),
        ("https://registry.example.co.uk", "https://auth.example.co.uk/token", True),
        ("https://registry.example.co.uk", "https://registry.other.co.uk/token", False),
        ("https://registry.example.com", "/token", False),
        ("https://registry.example.com", "", False),
        ("https://registry.example.com", "https://[broken/token", False),
    ],
)
def test_a_token_service_is_used(url: str, realm: str, allowed: bool) -> None:
    assert is_realm_allowed(url, realm) is allowed


@pytest.mark.parametrize(
    ("host", "domain"),
    [("a.b.example.com", "example.com"), ("a.example.com.au", "example.com.au"), ("com.au", ""), ("registry", "")],
)
def test_the_registrable_domain(host: str, domain: str) -> None:
    assert registrable_domain(host) == domain
