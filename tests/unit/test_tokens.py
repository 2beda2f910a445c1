"""Tokens are what docker_auth would sign and the registry accept; PyJWT is the judge that is not ours."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regmirror.errors import SigningError
from regmirror.signing.bundle import key_id
from regmirror.signing.tokens import CATALOG, Access, Claims, decode_token, sign_token
from tests import samples

KEY = samples.key_pair().private_key
CLAIMS = Claims(
    issuer="regmirror",
    service="mirror.example.com",
    subject="",
    access=(Access("repository", "library/alpine", ("pull",)), CATALOG),
    issued_at=samples.NOW,
    lifetime=timedelta(minutes=5),
    token_id="abc",
)


def segment(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def test_pyjwt_accepts_our_token() -> None:
    claims = jwt.decode(
        sign_token(CLAIMS, KEY),
        KEY.public_key(),
        algorithms=["RS256"],
        audience="mirror.example.com",
        issuer="regmirror",
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    issued_at = int(samples.NOW.timestamp())
    assert (claims["iat"], claims["nbf"], claims["exp"]) == (issued_at, issued_at - 10, issued_at + 300)
    assert claims["access"] == [
        {"type": "repository", "name": "library/alpine", "actions": ["pull"]},
        {"type": "registry", "name": "catalog", "actions": ["*"]},
    ]


def test_the_header_names_the_key_by_its_thumbprint() -> None:
    header = jwt.get_unverified_header(sign_token(CLAIMS, KEY))
    assert header == {"typ": "JWT", "alg": "RS256", "kid": key_id(KEY.public_key())}


def test_we_accept_the_token_of_pyjwt() -> None:
    text = jwt.encode({"iss": "other", "access": []}, KEY, algorithm="RS256", headers={"kid": "x"})
    token = decode_token(text)
    assert token.header["kid"] == "x"
    assert token.claims["iss"] == "other"
    assert token.is_signed_by(KEY.public_key())


def test_a_token_comes_back_as_it_was_signed() -> None:
    token = decode_token(sign_token(CLAIMS, KEY))
    assert token.access == list(CLAIMS.access)
    assert token.is_signed_by(KEY.public_key())


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_tampered_token_is_not_signed_by_the_key(part: int) -> None:
    parts = sign_token(CLAIMS, KEY).split(".")
    parts[part] = {
        0: segment({"typ": "JWT", "alg": "none", "kid": "x"}),
        1: segment({**CLAIMS.to_json(), "access": []}),
        2: parts[2][:-8] + ("A" * 8 if not parts[2].endswith("A" * 8) else "B" * 8),
    }[part]
    assert not decode_token(".".join(parts)).is_signed_by(KEY.public_key())


def test_another_key_did_not_sign_it() -> None:
    assert not decode_token(sign_token(CLAIMS, KEY)).is_signed_by(samples.key_pair(2).private_key.public_key())


def test_another_algorithm_does_not_count_whatever_the_header_says() -> None:
    text = jwt.encode({"iss": "regmirror"}, KEY, algorithm="PS256")
    assert not decode_token(text).is_signed_by(KEY.public_key())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a.b",
        "a.b.c.d",
        "a.b.c",
        f"{segment({})}.{segment({})}.A",
        f"{segment([])}.{segment({})}.AAAA",
        "é.é.é",
    ],
)
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(SigningError, match="not a JSON Web Token"):
        decode_token(text)


@given(st.text())
def test_no_text_does_anything_but_decode_or_be_refused(text: str) -> None:
    try:
        decode_token(text)
    except SigningError as error:
        assert "not a JSON Web Token" in error.message


@pytest.mark.parametrize(
    ("access", "rights"),
    [
        (None, []),
        ([], []),
        ([{"type": "repository", "name": "a/b", "actions": []}], []),
        ([{"type": "repository", "name": "a/b", "actions": None}], []),
        ([{"type": "repository", "name": "a/b", "actions": ["pull"]}], [Access("repository", "a/b", ("pull",))]),
    ],
)
def test_only_entries_with_actions_are_rights(access: Any, rights: list[Access]) -> None:
    text = f"{segment({})}.{segment({'access': access})}.AAAA"
    assert decode_token(text).access == rights


@pytest.mark.parametrize("access", ["pull", [5], [{"actions": ["pull"]}], {"type": "repository"}])
def test_rights_that_make_no_sense_are_refused(access: Any) -> None:
    token = decode_token(f"{segment({})}.{segment({'access': access})}.AAAA")
    with pytest.raises(SigningError, match="not a list of rights"):
        _ = token.access


def test_a_right_is_asked_for_by_its_scope() -> None:
    assert Access("repository", "library/alpine", ("push", "pull")).scope == "repository:library/alpine:push,pull"
    assert CATALOG.scope == "registry:catalog:*"
