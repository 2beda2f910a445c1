"""The expiry of a certificate is read as the cryptography library reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from metrics.certificate import not_after


def certificate(ends: datetime, name: str = "regmirror") -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, ends - timedelta(days=1), ends)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


# From 2050 on, certificates have another type of time (RFC 5280, section 4.1.2.5).
@pytest.mark.parametrize("year", [2027, 2049, 2050, 2999])
@pytest.mark.parametrize("name", ["x", "x" * 60])
def test_the_expiry_is_read(year: int, name: str) -> None:
    ends = datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert not_after(f"before\n{certificate(ends, name)}after\n") == ends.timestamp()


def test_the_first_certificate_counts() -> None:
    first, second = (datetime(year, 1, 1, tzinfo=UTC) for year in (2030, 2031))
    assert not_after(certificate(first) + certificate(second)) == first.timestamp()


@pytest.mark.parametrize("text", ["", "x", "-----BEGIN CERTIFICATE-----\nMII=", certificate(datetime.now(UTC))[:300]])
def test_what_is_no_certificate_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):
        not_after(text)


def test_any_other_content_is_an_error() -> None:
    with pytest.raises(ValueError, match="certificate"):
        not_after("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")
