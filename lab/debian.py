"""Debian's packages, installed only where what the lab needs of them is missing."""

import os
import shutil
import subprocess
from pathlib import Path

from lab import commands, progress
from lab.components import DEBIAN_PACKAGES, DebianPackage
from lab.errors import CannotRunHereError

# Some of the programs are in directories that only root has on PATH, and not even root after `su`.
SEARCH_PATH = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"


def program(name: str) -> Path:
    """Where a program of one of Debian's packages is; raises CannotRunHereError where it is not."""
    found = shutil.which(name, path=SEARCH_PATH)
    if found is None:
        raise CannotRunHereError(f"The program {name} is missing.")
    return Path(found)


def install_missing() -> None:
    """Installs what is missing by apt-get; raises CannotRunHereError where there is no apt-get.

    It never removes a package: where one is in the way (Docker's containerd.io has a runc of its own), it says so.
    """
    lacking = {package.name: what for package in DEBIAN_PACKAGES if (what := _missing(package))}
    if not lacking:
        return
    names = " ".join(lacking)
    if shutil.which("apt-get") is None:
        things = ", ".join(item for items in lacking.values() for item in items)
        raise CannotRunHereError(f"Missing here: {things}. Debian has them in {names}, but there is no apt-get here.")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    options = ["--yes", "--quiet", "--no-install-recommends", "--no-remove"]
    with progress.step(f"installed {names} by apt-get"):
        commands.output_of(
            ["apt-get", "update", "--quiet"], purpose="Updating the package lists", environment=environment
        )
        install = ["apt-get", "install", *options, *lacking]
        commands.output_of(install, purpose=f"Installing {names}", environment=environment)


def unpack(package: str, target: Path) -> None:
    """Put a package's files below `target`, without installing it; raises CannotRunHereError without apt-get."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise CannotRunHereError(f"Missing here: {package}. It is a package of Debian, but there is no apt-get here.")
    archives = target / "archives"
    archives.mkdir()
    download = ["apt-get", "download", "--quiet", package]
    if subprocess.run(download, cwd=archives, capture_output=True, check=False).returncode:
        commands.output_of(["apt-get", "update", "--quiet"], purpose="Updating the package lists")
        commands.output_of(download, purpose=f"Fetching {package}", directory=archives)
    for archive in archives.iterdir():
        commands.output_of(["dpkg-deb", "--extract", archive, target], purpose=f"Unpacking {package}")
    shutil.rmtree(archives)


def _missing(package: DebianPackage) -> list[str]:
    programs = [name for name in package.programs if shutil.which(name, path=SEARCH_PATH) is None]
    return programs + [file for file in package.files if not Path(file).exists()]
