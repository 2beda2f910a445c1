"""The files of a client: what is read for them, how they are shown, and how they are written."""

import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from regmirror.cli.terminal import Terminal
from regmirror.client_config.setup import ClientFile, ClientSetup
from regmirror.errors import ConfigurationError


def parse_names(entries: list[str]) -> dict[str, str]:
    """Read ``UPSTREAM=NAME``; raises ConfigurationError."""
    names = {}
    for entry in entries:
        upstream, _, name = entry.partition("=")
        if not upstream or not name or "/" in name:
            raise ConfigurationError(
                f'--registry "{entry}" is not UPSTREAM=NAME', hint="for example docker-hub=docker.io"
            )
        names[upstream] = name
    return names


def read_authority(path: Path) -> str:
    """The certificates of a PEM file and nothing else of it; raises ConfigurationError where it has none."""
    try:
        certificates = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds none"
        raise ConfigurationError(f"--ca-file {path} cannot be read as PEM certificates: {reason}") from error
    return "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in certificates)


def print_setup(terminal: Terminal, setup: ClientSetup, written: list[Path]) -> None:
    """The files (or where they were written), what to do with them, and what they cannot bring about."""
    for path in written:
        terminal.result(f"{terminal.symbols.ok} {path}", "green")
    for file in setup.files if not written else []:
        merge = "; merge it into the one that is there" if file.may_exist else ""
        terminal.result(f"# {file.path} (mode {file.mode:04o}{merge})", "bold")
        terminal.result(file.content)
    terminal.result("Then:", "bold")
    for step in setup.steps:
        terminal.result(f"  {step}")
    terminal.result(f"Not possible with this runtime: {setup.limitations}", "yellow")


def write_files(files: list[ClientFile], directory: Path, *, force: bool) -> list[Path]:
    """Write all files below a directory, with their modes; raises ConfigurationError before any where one differs."""
    targets = [(directory / file.path.removeprefix("~/").lstrip("/"), file) for file in files]
    try:
        different = [path for path, file in targets if path.exists() and path.read_text() != file.content]
        if different and not force:
            raise ConfigurationError(
                f"{different[0]} exists with another content", hint="merge them by hand, or replace it by --force"
            )
        for path, file in targets:
            path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, file.mode), "w") as stream:
                stream.write(file.content)
            path.chmod(file.mode)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{directory} cannot be written: {error}") from error
    return [path for path, _ in targets]
