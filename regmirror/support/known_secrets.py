"""Finds the secret values in Kubernetes Secrets, so that they can be redacted everywhere else."""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from regmirror.ports.cluster import Object

_SECRET_KEY = re.compile(r"pass|secret|token|credential|accesskey|api[_-]?key|private|^(auth|key)$", re.IGNORECASE)
_HELM = "helm.sh/release.v1"
_SERVICE_ACCOUNT = "kubernetes.io/service-account-token"
_CERTIFICATE = "-----BEGIN CERTIFICATE-----"
_PRIVATE = "PRIVATE KEY-----"


def secret_values(secrets: Iterable[Object]) -> set[str]:
    """Every value that must not be shown: whole values, values in configuration files, lines of private keys.

    Certificates are public. Helm's release records are skipped: they contain no secrets, and a bundle does not contain
    them.
    """
    return {value for secret in secrets for value in _values(secret) if value}


def _values(secret: Object) -> Iterator[str]:
    if secret.get("type") == _HELM:
        return
    for key, encoded in (secret.get("data") or {}).items():
        if key == "namespace" and secret.get("type") == _SERVICE_ACCOUNT:
            continue
        try:
            text = base64.b64decode(encoded).decode().strip()
        except (binascii.Error, UnicodeDecodeError):
            # Not text, so it cannot appear in a log.
            continue
        yield from _values_of_text(text)


def _values_of_text(text: str) -> Iterator[str]:
    if text.startswith(_CERTIFICATE) and _PRIVATE not in text:
        return
    if _PRIVATE in text:
        yield from (line.strip() for line in text.splitlines() if "-----" not in line)
        return
    # Also the whole text: a password may look like YAML.
    yield text
    try:
        yield from _leaves(yaml.safe_load(text), secret=False)
    except yaml.YAMLError:
        return


def _leaves(document: Any, *, secret: bool) -> Iterator[str]:
    """The texts directly under a key whose name marks it as secret."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from _leaves(value, secret=bool(_SECRET_KEY.search(str(key))) and not isinstance(value, dict))
    elif isinstance(document, list):
        for value in document:
            yield from _leaves(value, secret=secret)
    elif secret and document not in {None, True, False}:
        yield str(document).strip()
