"""The signing pair: RSA, belonging together, with a certificate that any X.509 reader takes as it is meant."""

from __future__ import annotations

import hashlib
import ssl
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from regmirror.errors import SigningError
from regmirror.signing.key_pair import (
    KeyPair,
    fingerprint,
    generate_private_key,
    is_authority,
    load_key_pair,
    self_signed,
)
from tests import samples

PAIR = samples.key_pair()
VERSION_1 = b"""\
-----BEGIN CERTIFICATE-----
MIIBnjCCAQcCFH8qg5tT/s3gWE+cxVjiRaX3TdfAMA0GCSqGSIb3DQEBCwUAMA4x
DDAKBgNVBAMMA29sZDAeFw0yNjExMjYwNDQ2MThaFw0yNjExMjcwNDQ2MThaMA4x
DDAKBgNVBAMMA29sZDCBnzANBgkqhkiG9w0BAQEFAAOBjQAwgYkCgYEArMVqjNrN
VFQpylOt/lxvajWTPoPw4jNGXDYOCKG0Jd7bj3rkt3FgwDg9IlzHcIBOHd4/8yga
KyOGyiWMDD0wXcwW31xWOOkMcu11tnv8NUwgZ2E05eZdbl18eZ92XlEvDMDUE5nS
1b233LdE0wMxF16Gqzapz0rXYSFeQ/UkmjcCAwEAATANBgkqhkiG9w0BAQsFAAOB
gQCF3ZKQBHcua99y6ioOOKPRxABbbcMGfvDt3aa3A7knsp/7lHnn0rx73AEqGiJh
bkF4mwOWJL2SxTWQGt/+nGNk6GWEJiflF18OCl814C+7EY+aO7CuXeNsw5Gc7QPo
pDapz3PJ1jzXumInVjni/saCOkQ7kVbD2kzdyelSoNy7lQ==
-----END CERTIFICATE-----
"""


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, passphrase: bytes = b"") -> bytes:
    protection = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)


def test_the_certificate_says_what_it_was_told() -> None:
    pair = self_signed(PAIR.private_key, "an issuer, é", samples.NOW, timedelta(days=30), serial=77)
    certificate = x509.load_pem_x509_certificate(pair.certificate_pem)
    assert certificate.subject == certificate.issuer
    assert certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "an issuer, é"
    assert certificate.not_valid_before_utc == samples.NOW
    assert certificate.not_valid_after_utc == samples.NOW + timedelta(days=30)
    assert certificate.serial_number == 77


def test_the_certificate_is_signed_by_its_own_key() -> None:
    certificate = PAIR.certificate
    hash_algorithm = certificate.signature_hash_algorithm
    assert hash_algorithm is not None
    public_key = certificate.public_key()
    assert isinstance(public_key, rsa.RSAPublicKey)
    public_key.verify(certificate.signature, certificate.tbs_certificate_bytes, padding.PKCS1v15(), hash_algorithm)
    assert hash_algorithm.name == "sha256"


def authority(ca: bool | None, key: rsa.RSAPrivateKey = PAIR.private_key) -> x509.Certificate:
    """A certificate with or without the extension that says whether it is an authority."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "company")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(samples.NOW).not_valid_after(samples.NOW + timedelta(days=9))
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    return builder.sign(key, hashes.SHA256())


def test_the_certificate_is_no_authority() -> None:
    extension = PAIR.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (extension.critical, extension.value.ca) == (True, False)
    assert not is_authority(PAIR.certificate)


@pytest.mark.parametrize(("ca", "expected"), [(True, True), (False, False), (None, False)])
def test_an_authority_is_known_by_its_extension(ca: bool | None, expected: bool) -> None:
    assert is_authority(authority(ca)) is expected


def test_a_certificate_that_is_older_than_extensions_is_an_authority() -> None:
    # openssl x509 -req -signkey, without -extfile; the key is discarded.
    assert is_authority(x509.load_pem_x509_certificate(VERSION_1))


def test_a_new_key_has_the_length_asked_for() -> None:
    key = generate_private_key(3072)
    assert key.key_size == 3072
    assert key.public_key().public_numbers().e == 65537


def test_a_pair_is_read_back() -> None:
    assert load_key_pair(PAIR.certificate_pem, PAIR.key_pem) == PAIR


def test_a_pair_does_not_show_its_key() -> None:
    assert "PRIVATE" not in repr(PAIR)


def test_the_fingerprint_is_the_sha256_of_the_certificate() -> None:
    encoded = ssl.PEM_cert_to_DER_cert(PAIR.certificate_pem.decode())
    assert fingerprint(PAIR.certificate) == hashlib.sha256(encoded).hexdigest()


def test_halves_of_two_pairs_are_refused() -> None:
    with pytest.raises(SigningError, match="does not match its certificate") as caught:
        load_key_pair(PAIR.certificate_pem, samples.key_pair(2).key_pem)
    assert str(caught.value.hint).endswith("create a new one: regmirror deploy")


def test_an_elliptic_curve_key_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(SigningError, match="the signing key is not RSA") as caught:
        load_key_pair(PAIR.certificate_pem, pem(key))
    assert "for RSA keys only" in caught.value.message
    assert str(caught.value.hint).endswith("create a new one: regmirror deploy")


@pytest.mark.parametrize("key", [b"", b"not PEM", PAIR.certificate_pem, pem(PAIR.private_key, b"hunter2")])
def test_what_is_no_plain_private_key_is_refused(key: bytes) -> None:
    with pytest.raises(SigningError, match="not an unencrypted PEM private key"):
        load_key_pair(PAIR.certificate_pem, key)
    with pytest.raises(SigningError, match="not an unencrypted PEM private key"):
        _ = KeyPair(PAIR.certificate_pem, key).private_key


@pytest.mark.parametrize("certificate", [b"", b"not PEM", PAIR.key_pem])
def test_what_is_no_certificate_is_refused(certificate: bytes) -> None:
    with pytest.raises(SigningError, match="not a PEM certificate"):
        load_key_pair(certificate, PAIR.key_pem)
