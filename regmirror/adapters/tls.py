"""TLS with the certificates that the pods of a mirror trust."""

import ssl


def tls_context(ca: bytes) -> ssl.SSLContext:
    """Trusts the system's certificates and those of a PEM text, which may be empty."""
    context = ssl.create_default_context()
    if ca:
        context.load_verify_locations(cadata=ca.decode())
        # Python refuses certificates of private CAs that Go, and so the registry, accepts: without key identifiers.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
