"""The lab's certificate authority, the certificates that it signs, and the key of the cluster's service accounts."""

import datetime
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab import addresses

LIFETIME = datetime.timedelta(days=365)
# Certificates start a little in the past, so that they are valid for every client from the start.
HEAD_START = datetime.timedelta(minutes=5)


@dataclass(frozen=True)
class Certificates:
    """The paths of the PEM files; `mirror` is valid for *.lab.test and can be used in a TLS Secret."""

    directory: Path

    @property
    def authority(self) -> Path:
        """The certificate that clients trust."""
        return self.directory / "authority.crt"

    @property
    def docker_io(self) -> "Certificates":
        """Those of the stand-in for docker.io, whose authority no client trusts by itself."""
        return Certificates(self.directory / "docker-io")

    def certificate(self, name: str) -> Path:
        """The certificate called `name`: "api-server" or "mirror"; of `docker_io`, "server"."""
        return self.directory / f"{name}.crt"

    def key(self, name: str) -> Path:
        """The private key called `name`: that of a certificate, "authority" or "service-accounts"."""
        return self.directory / f"{name}.key"


def prepare(directory: Path) -> Certificates:
    """Returns the certificates in `directory`; creates all of an authority if its last one is missing."""
    made = Certificates(directory)
    if not made.certificate("mirror").exists():
        directory.mkdir(parents=True, exist_ok=True)
        _write_key(made.key("service-accounts"), ec.generate_private_key(ec.SECP256R1()))
        of_lab = {"api-server": _api_server_names(), "mirror": [f"*.{addresses.LAB_DOMAIN}"]}
        _create(made, "regmirror lab", of_lab)
    if not made.docker_io.certificate("server").exists():
        made.docker_io.directory.mkdir(exist_ok=True)
        _create(made.docker_io, "Docker Hub stand-in", {"server": [addresses.DOCKER_IO, f"*.{addresses.DOCKER_IO}"]})
    return made


def _create(made: Certificates, owner: str, names: Mapping[str, list[str]]) -> None:
    """Creates an authority, and a certificate of it for the hosts of each name."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _sign(f"{owner} authority", [], authority_key, authority_key, None)
    _write(made.authority, authority.public_bytes(serialization.Encoding.PEM))
    _write_key(made.key("authority"), authority_key)
    for name, hosts in names.items():
        key = ec.generate_private_key(ec.SECP256R1())
        signed = _sign(f"{owner} {name}", hosts, key, authority_key, authority)
        _write_key(made.key(name), key)
        _write(made.certificate(name), signed.public_bytes(serialization.Encoding.PEM))


def _api_server_names() -> list[str]:
    in_cluster = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    in_cluster.append(f"kubernetes.default.svc.{addresses.CLUSTER_DOMAIN}")
    return [*in_cluster, "localhost", "127.0.0.1", addresses.NODE_ADDRESS, addresses.KUBERNETES_SERVICE_ADDRESS]


def _sign(
    common_name: str,
    hosts: list[str],
    key: ec.EllipticCurvePrivateKey,
    authority_key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate | None,
) -> x509.Certificate:
    """A certificate for `hosts`, or a CA certificate if `authority` is None."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority.subject if authority else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - HEAD_START)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .add_extension(_key_usage(of_authority=authority is None), critical=True)
    )
    if authority:
        names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        builder = builder.add_extension(usage, critical=False)
    return builder.sign(authority_key, hashes.SHA256())


def _key_usage(*, of_authority: bool) -> x509.KeyUsage:
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


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    # The API server does not accept a PKCS #8 EC key as its service account key.
    form = serialization.PrivateFormat.TraditionalOpenSSL
    pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    _write(path, pem, mode=0o600)


def _write(path: Path, content: bytes, mode: int = 0o644) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
