"""A CA bundle is read where its reference says; it has certificates only, and no error shows its content."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from pydantic import TypeAdapter, ValidationError

from regmirror.config.ca_bundle import CaBundle, CaBundleResolver
from regmirror.errors import CaBundleError
from regmirror.signing.ca_certificates import ca_warnings, join_certificates, only_certificates
from tests import samples

FIRST, SECOND = samples.key_pair(1).certificate_pem, samples.key_pair(2).certificate_pem
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def reference(value: dict[str, Any]) -> Any:
    return TypeAdapter(CaBundle).validate_python(value)


@pytest.fixture
def resolver(tmp_path: Path) -> CaBundleResolver:
    (tmp_path / "ca.pem").write_bytes(b"# Company CA\n" + FIRST)
    (tmp_path / "key.pem").write_bytes(FIRST + samples.key_pair(1).key_pem)
    (tmp_path / "folder").mkdir()
    config_maps = {("company", "ca.crt"): SECOND, ("company", "other"): b"no certificate"}
    secrets = {("company", "tls.crt"): FIRST}
    return CaBundleResolver(
        tmp_path,
        lambda name, key: config_maps.get((name, key)),
        lambda name, key: secrets.get((name, key)),
        only_certificates,
    )


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"file": "ca.pem"}, FIRST),
        ({"configMap": {"name": "company"}}, SECOND),
        ({"secret": {"name": "company", "key": "tls.crt"}}, FIRST),
    ],
)
def test_a_bundle_is_found(resolver: CaBundleResolver, where: dict[str, Any], expected: bytes) -> None:
    assert resolver.resolve(reference(where), "storage.caBundle") == expected


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"file": "absent.pem"}, "storage.caBundle: the file absent.pem does not exist"),
        ({"file": "folder"}, "storage.caBundle: cannot read the file folder: Is a directory"),
        ({"file": "key.pem"}, "storage.caBundle: the file key.pem contains a private key"),
        ({"configMap": {"name": "gone"}}, "storage.caBundle: the key ca.crt of ConfigMap gone does not exist"),
        ({"secret": {"name": "gone"}}, "storage.caBundle: the key ca.crt of Secret gone does not exist"),
        (
            {"configMap": {"name": "company", "key": "other"}},
            "storage.caBundle: the key other of ConfigMap company has no PEM certificate",
        ),
    ],
)
def test_an_error_names_the_key_and_the_place(resolver: CaBundleResolver, where: dict[str, Any], message: str) -> None:
    with pytest.raises(CaBundleError) as refused:
        resolver.resolve(reference(where), "storage.caBundle")
    assert refused.value.message == message
    assert refused.value.hint


@pytest.mark.parametrize("kind", ["configMap", "secret"])
def test_a_command_that_does_not_read_the_cluster_names_the_key(kind: str, tmp_path: Path) -> None:
    offline = CaBundleResolver(tmp_path, None, None, only_certificates)
    with pytest.raises(CaBundleError, match=r"upstreams\[0\]\.caBundle: .* not the \w+ company") as refused:
        offline.resolve(reference({kind: {"name": "company"}}), "upstreams[0].caBundle")
    assert "{file: PATH}" in str(refused.value.hint)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "has no PEM certificate"),
        (samples.key_pair(1).certificate.public_bytes(serialization.Encoding.DER), "looks like DER"),
        (FIRST + samples.key_pair(1).key_pem, "contains a private key"),
        (FIRST + b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", "contains a X509 CRL"),
        (FIRST + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "an invalid certificate, number 2"),
    ],
)
def test_a_bundle_has_certificates_only(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        only_certificates(content)


def test_no_error_shows_a_private_key() -> None:
    key = samples.key_pair(1).key_pem
    with pytest.raises(ValueError, match="private key") as refused:
        only_certificates(FIRST + key)
    assert key.splitlines()[1].decode() not in str(refused.value)


def test_comments_and_copies_are_left_out() -> None:
    assert only_certificates(b"# one\r\n" + FIRST + b"\npassword: hunter2\n" + SECOND + FIRST) == FIRST + SECOND


def test_bundles_are_joined() -> None:
    assert join_certificates(b"", b"") == b""
    assert join_certificates(FIRST, SECOND + FIRST) == FIRST + SECOND


def test_too_many_certificates_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regmirror.signing.ca_certificates._LARGEST", 100)
    with pytest.raises(ValueError, match="more than 0 KiB"):
        only_certificates(FIRST)


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        (timedelta(days=-3650), "is not valid before"),
        (timedelta(days=36500), "expired on"),
        (timedelta(0), "is not that of a CA"),
    ],
)
def test_a_doubtful_certificate_is_a_warning(when: timedelta, reason: str) -> None:
    assert any(reason in warning for warning in ca_warnings(FIRST, samples.NOW + when))


@pytest.mark.parametrize(
    "value",
    [
        "ca.pem",
        {},
        {"file": "ca.pem", "secret": {"name": "ca"}},
        {"env": "CA"},
        {"secret": {"name": "Not A Name"}},
        {"configMap": {"name": "ca", "key": "a/b"}},
        {"configMap": "ca"},
        {"pem": base64.b64encode(FIRST).decode()},
    ],
)
def test_another_form_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        reference(value)
