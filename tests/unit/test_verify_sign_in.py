"""The check token-sign-in: what a provider says about a code that it has not issued."""

from __future__ import annotations

from typing import Any

import pytest

from regmirror.desired import names
from regmirror.verify.check import Failed, Passed
from tests import samples
from tests.unit.check_faults.table import answer, edit_auth
from tests.unit.deployed import Deployed, deployed
from tests.unit.test_sign_in import PROVIDERS


def mirror(kind: str, **more: Any) -> Deployed:
    return deployed(access={"signIn": {kind: PROVIDERS[kind]}}, **more)


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        ("github", 400, b"Failed to get token: bad_verification_code: The code passed is incorrect or expired."),
        ("gitlab", 400, b"Failed to get token: invalid_grant: The provided authorization grant is invalid"),
        ("oidc", 500, b'Error talking to OIDC auth backend: oauth2: "invalid_grant" "Code not valid"'),
        ("google", 200, b"<html>"),
    ],
)
def test_a_provider_that_refuses_only_the_code_knows_the_client(kind: str, status: int, body: bytes) -> None:
    found = mirror(kind)
    answer(found, f"/{kind}_auth", status, body)
    outcome = found.ask("token-sign-in")
    assert isinstance(outcome, Passed)
    assert outcome.detail.startswith(f"https://{samples.HOST}/{kind}_auth")


def test_without_a_provider_there_is_nothing_to_check() -> None:
    assert deployed().ask("token-sign-in") == Passed("nobody can sign in: access.signIn is not set")


@pytest.mark.parametrize("kind", PROVIDERS)
def test_the_section_of_the_provider_must_be_as_configured(kind: str) -> None:
    found = mirror(kind)
    assert isinstance(found.ask("config-auth"), Passed)
    edit_auth(found, lambda config: config[f"{kind}_auth"].update(client_id="other"))
    outcome = found.ask("config-auth")
    assert isinstance(outcome, Failed)
    assert f"{kind}_auth.client_id" in outcome.message


def test_the_page_must_be_routed() -> None:
    outcome = mirror("github").ask("config-ingress")
    assert isinstance(outcome, Failed)
    assert f"routes /github_auth to nothing instead of {names.AUTH}" in outcome.message


def test_tokens_of_the_provider_must_not_be_logged() -> None:
    # The sample runs with --v=2.
    assert isinstance(deployed().ask("config-log-level"), Passed)
    assert isinstance(mirror("github").ask("config-log-level"), Failed)
