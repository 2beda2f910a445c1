"""Reads what the Secrets of a live mirror contain. Anybody can edit a Secret, so its content may be anything."""

import base64
import json
from typing import Any

import yaml
from pydantic import SecretStr

from regmirror.desired.mirror_secrets import Account


class SecretContentError(ValueError):
    """A Secret does not contain what it should; the text names the key, never a value."""


def look_up(document: Any, *keys: str) -> Any:
    """The value at a path of keys; None if the path ends early."""
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def secret_data(secret: dict[str, Any]) -> dict[str, bytes]:
    """The decoded values of a Secret, by key."""
    return {key: base64.b64decode(value) for key, value in (secret.get("data") or {}).items()}


def read_config(data: dict[str, bytes], key: str) -> dict[str, Any]:
    """The YAML configuration file under ``key``; raises SecretContentError."""
    try:
        content = yaml.safe_load(data.get(key, b""))
    except yaml.YAMLError:
        # Chained to nothing: the parser's error quotes the document.
        raise SecretContentError(f"{key} is not valid YAML") from None
    if not isinstance(content, dict):
        raise SecretContentError(f"{key} is empty" if content is None else f"{key} is not a mapping")
    return content


def s3_account(registry_config: dict[str, Any]) -> Account | None:
    """The S3 key in a registry's configuration file; None if it has none."""
    driver = look_up(registry_config, "storage", "s3")
    return _account(look_up(driver, "accesskey"), look_up(driver, "secretkey"))


def upstream_account(data: dict[str, bytes]) -> Account | None:
    """The account in the credential Secret of an upstream; None if pulls are anonymous. Raises SecretContentError."""
    try:
        document = json.loads(data.get("credential.json", b""))
        return _account(document["Username"], document["Secret"])
    except (ValueError, KeyError, TypeError):
        raise SecretContentError("credential.json does not contain an account") from None


def _account(name: object, password: object) -> Account | None:
    return Account(SecretStr(str(name)), SecretStr(str(password))) if name and password else None
