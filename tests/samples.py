"""A small mirror and its secrets: what most tests start from and change in one place."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import SecretStr

from regmirror.config.load import parse_mirror, read_text
from regmirror.config.model import Mirror
from regmirror.desired.mirror_secrets import Account, MirrorSecrets, SignInSecrets
from regmirror.signing.key_pair import KeyPair, generate_private_key, self_signed

HOST = "mirror.example.com"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

MINIMAL: dict[str, Any] = {
    "apiVersion": "regmirror.dev/v1alpha1",
    "kind": "Mirror",
    "host": HOST,
    "storage": {"bucket": "layers", "region": "eu-central-1"},
    "upstreams": [{"name": "docker-hub", "anonymousPull": ["library/*", "acme/tool"]}],
}
TWO_UPSTREAMS: list[dict[str, Any]] = [
    *MINIMAL["upstreams"],
    {"name": "quay", "url": "https://quay.io", "host": "quay.example.com", "anonymousPull": ["prometheus/*"]},
]


def document(**changes: Any) -> dict[str, Any]:
    """The smallest configuration file, with other values for some of its top-level keys."""
    return {**MINIMAL, **changes}


def mirror(**changes: Any) -> Mirror:
    """The mirror of such a file, loaded as a user's file is."""
    return parse_mirror(yaml.safe_dump(document(**changes)), "regmirror.yaml")


def read_mirror(path: Path) -> Mirror:
    """The mirror of a configuration file."""
    return parse_mirror(read_text(path), str(path)).relocated()


@cache
def key_pair(serial: int = 1) -> KeyPair:
    """A signing pair, generated once a process for each serial number; 2048 bits because that is quick."""
    return self_signed(generate_private_key(2048), "regmirror", NOW - timedelta(hours=1), timedelta(days=1825), serial)


@cache
def public_certificate(host: str = HOST, days: int = 90) -> x509.Certificate:
    """A certificate of a public host; its own authority."""
    key = key_pair().private_key
    name = x509.Name([])
    names = x509.SubjectAlternativeName([x509.DNSName(host)])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=100))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )


def tls_secret(host: str = HOST, name: str = "regmirror-tls", days: int = 90) -> dict[str, Any]:
    """The TLS Secret of a public host, as its owner creates it."""
    pair = {"tls.crt": public_certificate(host, days).public_bytes(Encoding.PEM), "tls.key": key_pair().key_pem}
    data = {key: base64.b64encode(pem).decode() for key, pem in pair.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}


def mirror_secrets(**changes: Any) -> MirrorSecrets:
    """Secrets for one mirror; their values are canaries that no other place may hold."""
    signing = key_pair()
    known: dict[str, Any] = {
        "signing": signing,
        "bundle": signing.certificate_pem,
        "redis_password": SecretStr("canary-redis-password"),
        "s3": Account(SecretStr("canary-s3-id"), SecretStr("canary-s3-secret")),
        "upstreams": {"docker-hub": Account(SecretStr("canary-hub-name"), SecretStr("canary-hub-token"))},
        "sign_in": SignInSecrets(SecretStr("canary-client-secret"), SecretStr("canary-sign-in-password")),
    }
    return MirrorSecrets(**{**known, **changes})


CANARIES = (
    "canary-redis-password",
    "canary-s3-id",
    "canary-s3-secret",
    "canary-hub-name",
    "canary-hub-token",
    "canary-client-secret",
    "canary-sign-in-password",
)
