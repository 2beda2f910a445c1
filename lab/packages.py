"""Files of PyPI and npm, fetched by pip and npm as any user would, with pinned versions and hashes."""

import base64
import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

from lab import commands
from lab.errors import LabError


def install(requirement: str, digest: str, target: Path) -> None:
    """Unpacks the wheel `requirement` into the directory `target`; pip refuses a file whose hash is another."""
    _pip("install", requirement, digest, "--target", str(target))


def download(requirement: str, digest: str, directory: Path) -> Path:
    """Brings the wheel `requirement` into `directory`; pip refuses a file whose hash is another."""
    _pip("download", requirement, digest, "--dest", str(directory))
    return _only_file(directory)


def pack(requirement: str, integrity: str, directory: Path) -> Path:
    """Brings npm's package `requirement` into `directory` and checks it against `integrity` (sha512-BASE64)."""
    npm = shutil.which("npm")
    if npm is None:
        raise LabError(f"{requirement} comes from npm, which is not installed here.")
    commands.output_of([npm, "pack", requirement, "--pack-destination", directory], purpose=f"Fetching {requirement}")
    packed = _only_file(directory)
    found = "sha512-" + base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
    if found != integrity:
        raise LabError(f"Fetching {requirement}: its hash is {found}, but lab/components.py pins {integrity}.")
    return packed


def _pip(verb: str, requirement: str, digest: str, *options: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as pinned:
        pinned.write(f"{requirement} --hash={digest}\n")
        pinned.flush()
        strict = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--require-hashes"]
        command = [sys.executable, "-m", "pip", verb, *strict, "--requirement", pinned.name, *options]
        commands.output_of(command, purpose=f"Fetching {requirement}")


def _only_file(directory: Path) -> Path:
    (only,) = directory.iterdir()
    return only
