"""The Secrets of ``ingress.selfSigned``: the CA of a mirror, and the certificates that it issued."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from regmirror.config.model import Mirror
from regmirror.desired import names
from regmirror.signing.host_authority import CertificatePair

CA_KEY: Final = "ca.crt"
"""In a TLS Secret, the certificate of the CA; cert-manager uses the same key."""
COMPONENT: Final = "certificates"


@dataclass(frozen=True, slots=True)
class SelfSigned:
    """The CA, and the certificate of each TLS Secret by the name of the Secret."""

    authority: CertificatePair
    hosts: Mapping[str, CertificatePair]

    def data(self) -> dict[str, dict[str, bytes]]:
        """The data of each Secret, by its name; only the Secret of the CA has the key of the CA."""
        ca_pem = self.authority.certificate_pem
        return {
            names.CA_SECRET: _data(self.authority),
            **{name: _data(pair) | {CA_KEY: ca_pem} for name, pair in self.hosts.items()},
        }


def _data(pair: CertificatePair) -> dict[str, bytes]:
    return {"tls.crt": pair.certificate_pem, "tls.key": pair.key_pem}


def self_signed_secrets(mirror: Mirror) -> list[str]:
    """The names of the Secrets that exist only with ``ingress.selfSigned``."""
    return [names.CA_SECRET, *mirror.tls_secrets] if mirror.ingress.self_signed else []
