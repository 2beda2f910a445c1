"""The signing key and its self-signed certificate, as docker_auth and the registry need them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from regmirror.errors import SigningError

_REPLACE = "restore the right pair, or delete its Secret and create a new one: regmirror deploy"


WARN_BEFORE = timedelta(days=60)
"""How long before its expiry regmirror warns of a certificate."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An RSA private key and the certificate of its public half, both as PEM."""

    certificate_pem: bytes
    key_pem: bytes = field(repr=False)

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate, parsed."""
        return x509.load_pem_x509_certificate(self.certificate_pem)

    @property
    def private_key(self) -> rsa.RSAPrivateKey:
        """The private key, parsed; raises SigningError unless it is RSA."""
        return _load_private_key(self.key_pem)


def generate_private_key(bits: int) -> rsa.RSAPrivateKey:
    """A new RSA key; the only source of randomness in this package.

    RSA because docker_auth 1.14 and distribution 3.1 compute different key ids for elliptic curves.
    """
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def self_signed(
    key: rsa.RSAPrivateKey, common_name: str, not_before: datetime, lifetime: timedelta, serial: int
) -> KeyPair:
    """Wrap a key's public half in a certificate of its own; ``not_before`` is in UTC.

    The registry trusts the key by its id in the bundle and checks neither dates nor usages (distribution
    ``registry/auth/token``): the dates are for the people who renew it. It is not a certificate authority, because the
    registry also trusts every certificate that an authority in the bundle has issued.
    """
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(not_before)
        .not_valid_after(not_before + lifetime)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return KeyPair(certificate.public_bytes(serialization.Encoding.PEM), key_pem)


def load_key_pair(certificate_pem: bytes, key_pem: bytes) -> KeyPair:
    """Load a pair; raises SigningError unless both parse, are RSA, and match."""
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
    except ValueError as error:
        raise SigningError("the signing certificate is not a PEM certificate", hint=_REPLACE) from error
    if certificate.public_key() != _load_private_key(key_pem).public_key():
        raise SigningError("the signing key does not match its certificate", hint=_REPLACE)
    return KeyPair(certificate_pem, key_pem)


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether Go's ``crypto/x509`` lets the certificate issue others: also without extensions, as before version 3."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return certificate.version is x509.Version.v1


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate in lower-case hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


# Checking a key takes 40 ms, and a rotation loads the same two repeatedly.
@lru_cache(maxsize=4)
def _load_private_key(pem: bytes) -> rsa.RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SigningError("the signing key is not an unencrypted PEM private key", hint=_REPLACE) from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise SigningError(
            "the signing key is not RSA: the registry accepts docker_auth's tokens for RSA keys only", hint=_REPLACE
        )
    return key
