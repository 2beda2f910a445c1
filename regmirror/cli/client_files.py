"""The files of a client: reads the options they need, and shows or writes them."""

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from regmirror.cli.terminal import Terminal
from regmirror.client_config.setup import ClientFile, ClientSetup
from regmirror.config.access import plain_text
from regmirror.deploy.self_signed import live_authority
from regmirror.desired.self_signed import CA_KEY
from regmirror.errors import ConfigurationError
from regmirror.ports.connections import Connections


def parse_registries(entries: list[str]) -> dict[str, str]:
    """Parse ``UPSTREAM=NAME``; raises ConfigurationError."""
    names = {}
    for entry in entries:
        upstream, _, name = entry.partition("=")
        if not upstream or not name or "/" in name:
            raise ConfigurationError(
                f'--registry "{entry}" is not UPSTREAM=NAME', hint="for example, use --registry docker-hub=docker.io"
            )
        names[upstream] = name
    return names


def parse_user(name: str) -> str:
    """The value of ``--user``; raises ConfigurationError.

    A login has the form NAME:PASSWORD, so a name has no colon.
    """
    try:
        if name and ":" in plain_text(name):
            raise ValueError("an account name has no colon")
    except ValueError as error:
        raise ConfigurationError(f"--user: {error}", hint="use the name of an account of the mirror") from None
    return name


def read_certificates(path: Path) -> str:
    """The certificates of a PEM file without anything else in it; raises ConfigurationError if it has none."""
    try:
        certificates = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no PEM certificate in it"
        raise ConfigurationError(f"cannot read --ca-file {path}: {reason}") from error
    return "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in certificates)


@dataclass(frozen=True, slots=True)
class Authority:
    """The private CA of the mirror, as PEM, and where it comes from; both are empty if the CA is a public one."""

    pem: str = ""
    source: str = ""


def find_authority(connections: Connections, ca_file: Path | None) -> Authority:
    """The CA of ``--ca-file``, or else of ``ingress.selfSigned``; raises ConfigurationError or ClusterError."""
    if ca_file:
        return Authority(read_certificates(ca_file), str(ca_file))
    mirror = connections.mirror
    if not mirror.ingress.self_signed:
        return Authority()
    pem = live_authority(connections.cluster.blocking, mirror)
    if not pem:
        raise ConfigurationError(
            f"ingress.selfSigned: namespace {mirror.namespace} has no CA yet",
            hint="create it with regmirror deploy, or pass its certificate with --ca-file FILE",
        )
    return Authority(pem.decode(), f"Secret {mirror.tls_secrets[0]} (key {CA_KEY})")


def print_setup(terminal: Terminal, setup: ClientSetup, authority: Authority, written: dict[str, Path]) -> None:
    """Print the files, or where they were written, then the steps and the limitations of the runtime."""
    for path in written.values():
        terminal.result(f"{terminal.symbols.ok} {path}", "green")
    for file in setup.files if not written else []:
        merge = "; merge it into an existing file" if file.may_exist else ""
        terminal.result(f"# {file.path} (mode {file.mode:04o}{merge})", "bold")
        terminal.result(_certificate_reference(file, authority.source) if file.is_certificate else file.content)
    terminal.result("Then:", "bold")
    for step in setup.steps:
        terminal.result(f"  - {step}")
    terminal.result("Limitations:", "bold")
    for limitation in setup.limitations:
        terminal.result(f"  - {limitation}", wrap=True)


def _certificate_reference(file: ClientFile, source: str) -> str:
    count = file.content.count("-----BEGIN CERTIFICATE-----")
    certificates = "the certificate" if count == 1 else f"the {count} certificates"
    return f"# ... {certificates} from {source} (--output-dir writes the file)\n"


@dataclass(frozen=True, slots=True)
class WriteTarget:
    """Where files are written."""

    directory: Path | None
    overwrite_command: str
    """The command that overwrites existing files, for a hint."""
    force: bool
    """Whether to overwrite files with different content."""


def write_files(files: list[ClientFile], target: WriteTarget) -> dict[str, Path]:
    """Write the files below the directory, with their modes; returns where each was written, by its path.

    Raises ConfigurationError, before it writes any, if files with different content exist.
    """
    directory = target.directory or Path()
    places = {file.path: directory / file.path.removeprefix("~/").lstrip("/") for file in files}
    try:
        different = [str(places[file.path]) for file in files if _differs(places[file.path], file.content)]
        if different and not target.force:
            raise ConfigurationError(
                f"different content in existing files: {', '.join(different)}",
                hint=f"merge the files by hand, or overwrite them: {target.overwrite_command}",
            )
        for file in files:
            _write(places[file.path], file)
    except OSError as error:
        raise ConfigurationError(f"cannot write {error.filename or directory}: {error.strerror}") from error
    return places


def _differs(path: Path, content: str) -> bool:
    return path.exists() and path.read_bytes() != content.encode()


def _write(path: Path, file: ClientFile) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, file.mode), "w") as stream:
        stream.write(file.content)
    path.chmod(file.mode)
