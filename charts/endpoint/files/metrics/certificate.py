"""When a certificate expires (RFC 5280, section 4.1): Python's standard library reads no certificates."""

import ssl
from datetime import UTC, datetime

_SEQUENCE, _UTC_TIME, _VERSION = 0x30, 0x17, 0xA0


def not_after(pem: str) -> float:
    """The Unix time at which the first certificate of a PEM text expires; raises ValueError."""
    end = "-----END CERTIFICATE-----"
    der = ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN CERTIFICATE-----") : pem.index(end) + len(end)])
    certificate, _ = _element(der, _SEQUENCE)
    rest, _ = _element(certificate, _SEQUENCE)
    if rest[:1] == bytes([_VERSION]):
        _, rest = _element(rest)
    # Serial number, signature algorithm, issuer
    for _ in range(3):
        _, rest = _element(rest)
    validity, _ = _element(rest, _SEQUENCE)
    _, ends = _element(validity)
    moment, _ = _element(ends)
    text = moment.decode("ascii")
    if ends[0] == _UTC_TIME:
        # Years from 50 on are of the last century.
        text = ("19" if text[:2] >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()


def _element(data: bytes, tag: int | None = None) -> tuple[bytes, bytes]:
    """The content of the first element of DER, and what follows it; raises ValueError."""
    if len(data) < 2 or (tag is not None and data[0] != tag):
        raise ValueError("not a certificate")
    start, size = 2, data[1]
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[2:start], "big")
    if start + size > len(data):
        raise ValueError("an incomplete certificate")
    return data[start : start + size], data[start + size :]
