"""The bundle of public certificates that the registry trusts."""

import base64
import hashlib
import json

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from regmirror.errors import SigningError


def base64url(data: bytes) -> str:
    """Base64url without padding, as in JOSE (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def key_id(public_key: rsa.RSAPublicKey) -> str:
    """The JWK thumbprint of a key (RFC 7638): docker_auth's ``kid`` and the key id of the registry."""
    numbers = public_key.public_numbers()
    members = {"e": _unsigned(numbers.e), "kty": "RSA", "n": _unsigned(numbers.n)}
    canonical = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return base64url(hashlib.sha256(canonical.encode()).digest())


def parse_bundle(pem: bytes) -> list[x509.Certificate]:
    """The certificates of a bundle, in order; raises SigningError unless there is at least one."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise SigningError("the certificate bundle has no PEM certificate", hint="regmirror deploy") from error


def trusted_keys(pem: bytes) -> dict[str, rsa.RSAPublicKey]:
    """The keys that a registry with this bundle trusts, by key id; only RSA keys."""
    keys = (certificate.public_key() for certificate in parse_bundle(pem))
    return {key_id(key): key for key in keys if isinstance(key, rsa.RSAPublicKey)}


def find_certificate(certificates: list[x509.Certificate], wanted: object) -> x509.Certificate | None:
    """The certificate of the key with an id; None if there is none."""
    for certificate in certificates:
        key = certificate.public_key()
        if isinstance(key, rsa.RSAPublicKey) and key_id(key) == wanted:
            return certificate
    return None


def join_bundle(certificates: list[x509.Certificate]) -> bytes:
    """The bundle of these certificates, each once, in the order of their first appearance."""
    return b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in dict.fromkeys(certificates))


def _unsigned(number: int) -> str:
    return base64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))
