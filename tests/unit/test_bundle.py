"""The registry's bundle: which keys it trusts, under which names."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from jwt.algorithms import RSAAlgorithm

from regmirror.errors import SigningError
from regmirror.signing.bundle import join_bundle, key_id, parse_bundle, trusted_keys
from tests import samples

FIRST, SECOND = samples.key_pair(1), samples.key_pair(2)

# The example of RFC 7638, section 3.1.
RFC_MODULUS = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhM"
    "stn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5"
    "hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
)
RFC_THUMBPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def curve_certificate() -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "curve")])
    return (
        x509.CertificateBuilder(name, name, key.public_key(), 1, samples.NOW, samples.NOW + timedelta(days=1))
    ).sign(key, hashes.SHA256())


def test_the_key_id_is_that_of_the_specification() -> None:
    modulus = int.from_bytes(base64.urlsafe_b64decode(RFC_MODULUS + "=="), "big")
    assert key_id(rsa.RSAPublicNumbers(65537, modulus).public_key()) == RFC_THUMBPRINT


def test_the_key_id_is_the_thumbprint_of_pyjwts_web_key() -> None:
    public_key = FIRST.private_key.public_key()
    web_key = RSAAlgorithm.to_jwk(public_key, as_dict=True)
    members = json.dumps({name: web_key[name] for name in ("e", "kty", "n")}, separators=(",", ":"))
    digest = hashlib.sha256(members.encode()).digest()
    assert key_id(public_key) == base64.urlsafe_b64encode(digest).decode().rstrip("=")


def test_every_rsa_certificate_of_the_bundle_is_trusted() -> None:
    curve = curve_certificate().public_bytes(serialization.Encoding.PEM)
    bundle = FIRST.certificate_pem + curve + SECOND.certificate_pem
    assert len(parse_bundle(bundle)) == 3
    keys = [pair.private_key.public_key() for pair in (FIRST, SECOND)]
    assert trusted_keys(bundle) == {key_id(key): key for key in keys}


def test_a_private_key_in_the_bundle_is_not_looked_at() -> None:
    assert list(trusted_keys(FIRST.key_pem + FIRST.certificate_pem)) == [key_id(FIRST.private_key.public_key())]


def test_joining_keeps_each_certificate_once_in_its_order() -> None:
    first, second = FIRST.certificate, SECOND.certificate
    bundle = join_bundle([second, first, second])
    assert parse_bundle(bundle) == [second, first]
    assert bundle == SECOND.certificate_pem + FIRST.certificate_pem


@pytest.mark.parametrize("pem", [b"", b"nothing", FIRST.key_pem, FIRST.certificate_pem[:-40]])
def test_a_bundle_without_a_certificate_is_refused(pem: bytes) -> None:
    with pytest.raises(SigningError, match="no PEM certificate"):
        parse_bundle(pem)
