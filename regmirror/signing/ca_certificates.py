"""The certificates of certificate authorities that a registry trusts for its upstream and its object store."""

import re
from datetime import datetime

from cryptography import x509

from regmirror.signing.bundle import join_bundle, parse_bundle

_LABEL = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_LARGEST = 400 * 2**10
"""Bytes: two bundles and a registry's configuration fit into one Secret. All public CAs together take half of it."""


def only_certificates(content: bytes) -> bytes:
    """The certificates of a PEM text, each once, without anything between them.

    Raises ValueError unless there are certificates and nothing else; its text completes "the file ...".
    """
    labels = {label.decode() for label in _LABEL.findall(content)}
    if any("PRIVATE KEY" in label for label in labels):
        raise ValueError("contains a private key")
    if others := sorted(labels - {"CERTIFICATE"}):
        raise ValueError(f"contains a {others[0]}, which is not a certificate")
    blocks = _BLOCK.findall(content)
    if not blocks:
        raise ValueError(f"has no PEM certificate{_HOW_TO_CONVERT if content.startswith(_DER) else ''}")
    pem = join_bundle([_certificate(block, number) for number, block in enumerate(blocks, 1)])
    if len(pem) > _LARGEST:
        raise ValueError(f"has more than {_LARGEST // 2**10} KiB of certificates")
    return pem


_DER = b"\x30\x82"
_HOW_TO_CONVERT = " but looks like DER; to convert it: openssl x509 -inform der -in FILE -out ca.pem"


def _certificate(block: bytes, number: int) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(block)
    except ValueError:
        raise ValueError(f"has an invalid certificate, number {number}") from None


def join_certificates(*bundles: bytes) -> bytes:
    """One bundle with the certificates of several, each once."""
    return join_bundle([certificate for bundle in bundles if bundle for certificate in parse_bundle(bundle)])


def ca_warnings(pem: bytes, now: datetime) -> list[str]:
    """A sentence for each certificate that clients may refuse; ``now`` is in UTC."""
    return [
        f"the certificate {certificate.subject.rfc4514_string() or 'without a subject'} {reason}"
        for certificate in x509.load_pem_x509_certificates(pem)
        for reason in _doubts(certificate, now)
    ]


def _doubts(certificate: x509.Certificate, now: datetime) -> list[str]:
    doubts = []
    if certificate.not_valid_after_utc <= now:
        doubts.append(f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}")
    if certificate.not_valid_before_utc > now:
        doubts.append(f"is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}")
    if not _is_ca(certificate):
        doubts.append("is not that of a CA: it is trusted only for the server that presents it, until it is renewed")
    return doubts


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False
