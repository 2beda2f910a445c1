"""Warnings about ``access.signIn``: what has no effect, and what ends sooner than people expect."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from regmirror.config.access_decision import numbered_rules
from regmirror.config.key_paths import KeyPath
from regmirror.config.model import Mirror
from regmirror.config.sign_in import OidcSignIn

_PATH: KeyPath = ("access", "signIn")


def sign_in_warnings(mirror: Mirror) -> Iterator[tuple[KeyPath, str]]:
    """Each with the key that it is about."""
    sign_in = mirror.access.sign_in
    if sign_in is None:
        yield from _rules_for_nobody(mirror)
        return
    if sign_in.google:
        yield (*_PATH, "google"), _RETIRED
    if not sign_in.has_groups:
        yield from _groups_of_nobody(mirror, sign_in.name)
    if sign_in.oidc:
        yield from _warnings_about_scopes(sign_in.oidc)
    if sign_in.oidc and mirror.auth.replicas == 1:
        yield ("auth", "replicas"), _ONE_POD


_RETIRED = (
    "docker_auth's page loads a library that Google has retired, and refuses for client IDs created since July 2022: "
    "with a newer client ID, nobody can sign in"
)
_ONE_POD = (
    "docker_auth does not start while the issuer of access.signIn.oidc is unreachable: if its only pod restarts then, "
    "nobody can pull, with or without a login; set 2 or more"
)
_WITHOUT_OFFLINE_ACCESS: Final = frozenset({"accounts.google.com", "gitlab.com"})
"""Hosts of providers that refuse a sign-in with the scope offline_access.

Source: ``scopes_supported`` in their ``.well-known/openid-configuration``.
"""
_UNKNOWN_SCOPE = (
    "this provider does not know offline_access and refuses every sign-in that requests it: set [openid, email]"
)
_LOGINS_END = (
    "without offline_access most providers return no refresh token: people must sign in again as soon as the access "
    "token ends, often after an hour"
)


def _groups_of_nobody(mirror: Mirror, provider: str) -> Iterator[tuple[KeyPath, str]]:
    """The first rule about groups, which may be meant for accounts."""
    path = next((path for path, rule in numbered_rules(mirror.upstreams) if rule.groups), None)
    if path:
        yield (*path, "groups"), _NO_GROUPS.format(provider=provider)


_NO_GROUPS = (
    "access.signIn.{provider} does not provide groups: rules with groups match only accounts of regmirror user; name "
    "people in signedIn"
)


def _warnings_about_scopes(oidc: OidcSignIn) -> Iterator[tuple[KeyPath, str]]:
    requests_it = "offline_access" in oidc.scopes
    knows_it = urlsplit(oidc.issuer).hostname not in _WITHOUT_OFFLINE_ACCESS
    if requests_it != knows_it:
        yield (*_PATH, "oidc", "scopes"), _UNKNOWN_SCOPE if requests_it else _LOGINS_END


def _rules_for_nobody(mirror: Mirror) -> Iterator[tuple[KeyPath, str]]:
    for path, rule in numbered_rules(mirror.upstreams):
        if rule.signed_in:
            yield (*path, "signedIn"), "has no effect without access.signIn: nobody can sign in"
