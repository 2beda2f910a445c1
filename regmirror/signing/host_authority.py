"""A private CA of one mirror, and the certificates of its public hosts. Pure: time, keys and serials are arguments."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFETIME = timedelta(days=20 * 365)
"""Clients keep the CA: a new one has to be given to all of them."""
HOST_LIFETIME = timedelta(days=825)
"""The longest that Apple's platforms accept from a private CA."""
_RENEW_BEFORE = HOST_LIFETIME / 3
_HEAD_START = timedelta(hours=1)
"""The clocks of clients may be slow."""


@dataclass(frozen=True, slots=True)
class CertificatePair:
    """A certificate and its private key, both as PEM."""

    certificate_pem: bytes
    key_pem: bytes = field(repr=False)

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate, parsed; the first one of a chain."""
        return x509.load_pem_x509_certificate(self.certificate_pem)


def new_authority(key: ec.EllipticCurvePrivateKey, name: str, now: datetime, serial: int) -> CertificatePair:
    """A CA certificate that may only issue certificates of hosts; ``now`` is in UTC."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        _builder(subject, subject, key, now, now + AUTHORITY_LIFETIME, serial)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(of_authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _pair(certificate, key)


def new_host_certificate(
    authority: CertificatePair, key: ec.EllipticCurvePrivateKey, hosts: Sequence[str], now: datetime, serial: int
) -> CertificatePair:
    """A certificate for all ``hosts``, which ends no later than that of the CA."""
    issuer = authority.certificate
    # A common name has at most 64 characters; the names that clients check are the alternative names.
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "regmirror")])
    ends = min(now + HOST_LIFETIME, issuer.not_valid_after_utc)
    certificate = (
        _builder(subject, issuer.subject, key, now, ends, serial)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(of_authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_authority_key_identifier(issuer), critical=False)
        .sign(_authority_key(authority), hashes.SHA256())
    )
    return _pair(certificate, key)


def is_due(pair: CertificatePair, authority: CertificatePair, hosts: Sequence[str], now: datetime) -> bool:
    """Whether a host certificate has to be replaced: unreadable, of another CA or key, for other hosts, or old."""
    try:
        certificate, issuer = pair.certificate, authority.certificate
        certificate.verify_directly_issued_by(issuer)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return True
    if not key_matches(certificate, pair.key_pem) or set(names.get_values_for_type(x509.DNSName)) != set(hosts):
        return True
    ends = certificate.not_valid_after_utc
    return ends - now < _RENEW_BEFORE and ends < issuer.not_valid_after_utc


def key_matches(certificate: x509.Certificate, key_pem: bytes) -> bool:
    """Whether a PEM private key, of any type, is that of a certificate."""
    key = load_private_key(key_pem)
    return key is not None and key.public_key() == certificate.public_key()


def load_private_key(pem: bytes) -> PrivateKeyTypes | None:
    """The unencrypted private key of a PEM text; None if there is none."""
    try:
        return serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def authority_problem(authority: CertificatePair, now: datetime) -> str:
    """Why a CA cannot issue certificates, in one sentence; empty if it can."""
    try:
        certificate = authority.certificate
    except ValueError:
        return "tls.crt is not a certificate"
    if not isinstance(load_private_key(authority.key_pem), ec.EllipticCurvePrivateKey):
        return "tls.key is not an elliptic-curve private key"
    if not key_matches(certificate, authority.key_pem):
        return "tls.key is not the key of tls.crt"
    if certificate.not_valid_after_utc <= now:
        return f"tls.crt expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
    return ""


def _authority_key(authority: CertificatePair) -> ec.EllipticCurvePrivateKey:
    key = load_private_key(authority.key_pem)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(type(key))
    return key


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    ends: datetime,
    serial: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - _HEAD_START)
        .not_valid_after(ends)
    )


def _authority_key_identifier(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _usage(*, of_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not of_authority,
        key_cert_sign=of_authority,
        crl_sign=of_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> CertificatePair:
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return CertificatePair(certificate.public_bytes(serialization.Encoding.PEM), key_pem)
