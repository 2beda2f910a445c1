"""Key pairs in docker_auth's format, and the two kinds of key ID in a token's `kid`."""

import base64
import datetime
import hashlib
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class KeyPair:
    certificate: Path
    key: Path
    public: rsa.RSAPublicKey | ec.EllipticCurvePublicKey


def rsa_key_pair(directory: Path, name: str) -> KeyPair:
    return _write(directory, name, rsa.generate_private_key(public_exponent=65537, key_size=2048))


def elliptic_key_pair(directory: Path, name: str) -> KeyPair:
    return _write(directory, name, ec.generate_private_key(ec.SECP256R1()))


def _write(directory: Path, name: str, private: PrivateKey) -> KeyPair:
    pair = KeyPair(directory / f"{name}.crt", directory / f"{name}.key", private.public_key())
    pair.certificate.write_bytes(_self_signed(private).public_bytes(serialization.Encoding.PEM))
    pair.key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return pair


def _self_signed(private: PrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "contract test")])
    now = datetime.datetime.now(datetime.UTC)
    loopback = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    return (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(loopback, critical=False)
        .sign(private, hashes.SHA256())
    )


def thumbprint(public: rsa.RSAPublicKey) -> str:
    """The key ID that registry 3 expects: the JWK thumbprint of RFC 7638, section 3."""
    numbers = public.public_numbers()
    jwk = f'{{"e":"{_base64url_number(numbers.e)}","kty":"RSA","n":"{_base64url_number(numbers.n)}"}}'
    return _base64url(hashlib.sha256(jwk.encode()).digest())


def fingerprint(public: rsa.RSAPublicKey) -> str:
    """The key ID that registry 2 expects (libtrust): 240 bits of the DER public key's SHA-256 hash in base32."""
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    text = base64.b32encode(hashlib.sha256(der).digest()[:30]).decode()
    return ":".join(text[start : start + 4] for start in range(0, len(text), 4))


def _base64url_number(number: int) -> str:
    return _base64url(number.to_bytes((number.bit_length() + 7) // 8))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
