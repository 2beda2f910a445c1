"""The certificate of a public host."""

from cryptography import x509


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
