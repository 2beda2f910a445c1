"""Downloads files from PyPI and npm with pip and npm, with pinned versions and hashes."""

import base64
import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

from lab import commands
from lab.errors import LabError


def install(requirement: str, digest: str, target: Path) -> None:
    """Unpacks the wheel `requirement` into `target`; raises LabError if its hash is not `digest`."""
    _pip("install", requirement, digest, "--target", str(target))


def download(requirement: str, digest: str, directory: Path) -> Path:
    """Downloads the wheel `requirement` into `directory`; raises LabError if its hash is not `digest`."""
    _pip("download", requirement, digest, "--dest", str(directory))
    return _only_file(directory)


def pack(requirement: str, integrity: str, directory: Path) -> Path:
    """Downloads the npm package `requirement` into `directory`; raises LabError if it does not match `integrity`."""
    npm = shutil.which("npm")
    if npm is None:
        raise LabError(f"cannot download {requirement}: npm is not installed")
    commands.output_of(
        [npm, "pack", requirement, "--pack-destination", directory], purpose=f"downloading {requirement}"
    )
    packed = _only_file(directory)
    found = "sha512-" + base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
    if found != integrity:
        raise LabError(f"downloading {requirement} failed: its hash is {found}, but lab/components.py pins {integrity}")
    return packed


def _pip(verb: str, requirement: str, digest: str, *options: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as pinned:
        pinned.write(f"{requirement} --hash={digest}\n")
        pinned.flush()
        strict = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--require-hashes"]
        command = [sys.executable, "-m", "pip", verb, *strict, "--requirement", pinned.name, *options]
        commands.output_of(command, purpose=f"downloading {requirement}")


def _only_file(directory: Path) -> Path:
    (only,) = directory.iterdir()
    return only
