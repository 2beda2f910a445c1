"""Checks the CA certificates with which a runtime verifies the mirror, and those that the system trusts.

Source of the paths: Go's crypto/x509 (root_linux.go), with whose rules every supported runtime reads them.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from cryptography import x509

from regmirror.client_config.check.finding import Finding, error, warning
from regmirror.client_config.check.inspection import Inspection
from regmirror.client_config.trust import trust_store_step
from regmirror.errors import RegistryError, UntrustedCertificateError
from regmirror.ports.machine import InvalidCertificateError

_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


@dataclass(frozen=True, slots=True)
class CaFiles:
    """The CA files that a runtime reads for a host of the mirror."""

    host: str
    paths: list[str]
    expected: str
    """Where client-config puts the CA."""


def check_ca(inspection: Inspection, files: CaFiles) -> Iterator[Finding]:
    """Whether the certificates in the files, together with the system's, verify the host."""
    problems, certificates = [], []
    for path in files.paths:
        found, problem = _certificates(inspection, path)
        certificates += found
        problems += [problem] if problem else []
    yield from problems
    if problems:
        return
    try:
        if certificates:
            yield from _check_present(inspection, files, certificates)
        else:
            yield from _check_absent(inspection, files)
    except InvalidCertificateError as invalid:
        yield error("tls-certificate", files.host, str(invalid), "check the mirror: regmirror verify --category tls")


def in_trust_store(inspection: Inspection) -> bool:
    """Whether the system trusts the CA of the mirror; also if neither the CA nor the mirror's answer says otherwise."""
    expected = _contents(inspection.options.ca_pem)
    if not expected:
        return not inspection.private_ca and not any(
            _is_untrusted(inspection, host) for host in inspection.options.hosts
        )
    bundles = (text for path in _BUNDLES if (text := inspection.text(path)) is not None)
    return bool(expected & _contents(next(bundles, "")))


def check_trust_store(inspection: Inspection, ca_file: str, machines: str, reason: str) -> Iterator[Finding]:
    """Warn if builds cannot fetch tokens because the system does not trust the CA."""
    if not in_trust_store(inspection):
        fix = trust_store_step(machines, ca_file)
        yield warning("trust-store", _BUNDLES[0], f"does not have the CA of the mirror: {reason}", fix)


def _certificates(inspection: Inspection, path: str) -> tuple[list[x509.Certificate], Finding | None]:
    text = inspection.text(path)
    fix = f"write the CA of the mirror to it: {inspection.setup_command} --ca-file FILE"
    if text is None:
        return [], error("ca-missing", path, "there is no such file, although the configuration names it", fix)
    found = _load(text)
    return found, None if found else error("ca-invalid", path, "has no valid PEM certificate", fix)


def _check_present(inspection: Inspection, files: CaFiles, certificates: list[x509.Certificate]) -> Iterator[Finding]:
    path = files.paths[0]
    replace = f"replace it with the mirror's current CA: {inspection.setup_command} --ca-file FILE"
    expired = [certificate for certificate in certificates if certificate.not_valid_after_utc <= inspection.now]
    expected = _load(inspection.options.ca_pem)
    if len(expired) == len(certificates):
        day = expired[0].not_valid_after_utc.date()
        yield error("ca-expired", path, f"the CA certificate expired on {day}", replace)
    elif expected and not any(certificate in certificates for certificate in expected):
        yield error("ca-wrong", path, "has another CA than the mirror", replace)
    elif _refusal(inspection, files.host, _pem(inspection, files.paths)):
        yield error("ca-wrong", path, f"does not verify the certificate that {files.host} presents", replace)


def _check_absent(inspection: Inspection, files: CaFiles) -> Iterator[Finding]:
    """Without a file, the certificate must be verified by the system."""
    if in_trust_store(inspection) and not _refusal(inspection, files.host, ""):
        return
    message = f"there is no CA for {files.host}, whose certificate the system does not trust"
    fix = f"write the CA of the mirror to it: {inspection.setup_command} --ca-file FILE"
    yield error("ca-missing", files.expected, message, fix)


def _pem(inspection: Inspection, paths: Iterable[str]) -> str:
    return "\n".join(inspection.text(path) or "" for path in paths)


def _refusal(inspection: Inspection, host: str, ca_pem: str) -> bool:
    """Whether the mirror can be reached and its certificate is not trusted. Raises InvalidCertificateError."""
    try:
        inspection.connect(host, ca_pem)
    except UntrustedCertificateError:
        return True
    except RegistryError:
        return False
    return False


def _is_untrusted(inspection: Inspection, host: str) -> bool:
    """Whether the system does not trust the CA of a host; an expired certificate has a finding of its own."""
    try:
        return _refusal(inspection, host, "")
    except InvalidCertificateError:
        return False


def _load(pem: str) -> list[x509.Certificate]:
    """The certificates of a PEM text; invalid ones are left out, as Go does."""
    certificates = []
    for block in _BLOCK.findall(pem):
        with suppress(ValueError):
            certificates.append(x509.load_pem_x509_certificate(block.encode()))
    return certificates


def _contents(pem: str) -> set[str]:
    """The certificates of a PEM text, to compare; the trust store of a system has some that cannot be loaded."""
    return {"".join(block.split()) for block in _BLOCK.findall(pem)}
