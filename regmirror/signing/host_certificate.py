"""The certificate of a public host."""

from datetime import datetime

from cryptography import x509

from regmirror.signing.host_authority import key_matches


def load_host_certificate(pem: bytes | None) -> x509.Certificate | None:
    """The first certificate of a PEM chain, which is that of the host; None if there is none."""
    try:
        return x509.load_pem_x509_certificate(pem or b"")
    except ValueError:
        return None


def is_for_host(certificate: x509.Certificate, host: str) -> bool:
    """Whether one of its names is the host, or a wildcard for one label (RFC 6125, section 6.4.3)."""
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    dns_names = {name.lower() for name in alternatives.get_values_for_type(x509.DNSName)}
    return bool(dns_names & {host, f"*.{host.partition('.')[2]}"})


def host_certificate_problem(place: str, pem: bytes | None, key_pem: bytes | None, host: str, now: datetime) -> str:
    """Why a certificate and its key, which are stored in ``place``, cannot serve a host; empty if they can.

    ``now`` is in UTC.
    """
    certificate = load_host_certificate(pem)
    if certificate is None:
        return f"tls.crt in {place} is not a certificate"
    if not is_for_host(certificate, host):
        return f"the certificate in {place} is not for {host}"
    if certificate.not_valid_after_utc < now:
        return f"the certificate in {place} expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
    if certificate.not_valid_before_utc > now:
        return f"the certificate in {place} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
    if not key_matches(certificate, key_pem or b""):
        return f"tls.key in {place} is not the key of its certificate"
    return ""
