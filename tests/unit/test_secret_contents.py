"""What the Secrets of a live mirror contain is read without trusting it."""

from __future__ import annotations

from typing import Any

import pytest

from regmirror.desired.secret_contents import (
    SecretContentError,
    look_up,
    read_config,
    s3_account,
    secret_data,
    upstream_account,
)


def test_values_are_decoded() -> None:
    assert secret_data({"data": {"a": "Yg=="}}) == {"a": b"b"}
    assert secret_data({"data": None}) == secret_data({}) == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "config.yml is not valid YAML"),
        (b"", "config.yml is empty"),
        (b"[canary]", "config.yml is not a mapping"),
    ],
)
def test_a_file_that_is_not_a_configuration_is_an_error(content: bytes, message: str) -> None:
    with pytest.raises(SecretContentError) as caught:
        read_config({"config.yml": content}, "config.yml")
    assert str(caught.value) == message
    assert caught.value.__cause__ is None


def test_a_configuration_file_is_read() -> None:
    assert read_config({"config.yml": b"a: {b: c}"}, "config.yml") == {"a": {"b": "c"}}
    assert look_up({"a": {"b": "c"}}, "a", "b") == "c"
    assert look_up({"a": ["b"]}, "a", "b") is None


@pytest.mark.parametrize("config", [{}, {"storage": "s3"}, {"storage": {"s3": {"accesskey": "a"}}}])
def test_half_an_s3_key_is_no_key(config: dict[str, Any]) -> None:
    assert s3_account(config) is None


def test_accounts_are_read() -> None:
    key = s3_account({"storage": {"s3": {"accesskey": "id", "secretkey": "secret"}}})
    assert key is not None
    assert (key.name.get_secret_value(), key.password.get_secret_value()) == ("id", "secret")
    account = upstream_account({"credential.json": b'{"Username": "a", "Secret": "b"}'})
    assert account is not None
    assert (account.name.get_secret_value(), account.password.get_secret_value()) == ("a", "b")
    assert upstream_account({"credential.json": b'{"Username": "", "Secret": ""}'}) is None


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'"canary"'])
def test_something_other_than_an_account_is_an_error_without_its_content(content: bytes) -> None:
    with pytest.raises(SecretContentError, match="does not contain an account") as caught:
        upstream_account({"credential.json": content})
    assert caught.value.__cause__ is None
