"""TLS with the certificates that the pods of a mirror trust."""

import ssl


def tls_context(ca: bytes) -> ssl.SSLContext:
    """Trusts the system's certificates and those of a PEM text, which may be empty."""
    context = ssl.create_default_context()
    if ca:
        context.load_verify_locations(cadata=ca.decode())
        # As Go, and so the registry: certificates without key identifiers are accepted, and every certificate of the
        # bundle is trusted, that of an intermediate CA too.
        context.verify_flags = context.verify_flags & ~ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
