"""Debian packages, installed only if the lab lacks one of their programs or files."""

import os
import shutil
from pathlib import Path

from lab import commands, progress
from lab.components import DEBIAN_PACKAGES, DebianPackage
from lab.errors import CannotRunHereError

# Some programs are in directories that are only on root's PATH, and not even there after `su`.
SEARCH_PATH = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"


def program(name: str) -> Path:
    """The path of a program of a Debian package; raises CannotRunHereError if it is missing."""
    found = shutil.which(name, path=SEARCH_PATH)
    if found is None:
        raise CannotRunHereError(f"the program {name} is missing")
    return Path(found)


def install_missing() -> None:
    """Installs missing packages with apt-get; raises CannotRunHereError without apt-get, LabError if apt-get fails.

    It never removes a package, so apt-get fails on a conflict (for example with containerd.io, which contains runc).
    """
    missing = {package.name: what for package in DEBIAN_PACKAGES if (what := _missing(package))}
    if not missing:
        return
    names = " ".join(missing)
    if shutil.which("apt-get") is None:
        things = ", ".join(item for items in missing.values() for item in items)
        raise CannotRunHereError(f"missing: {things}. Install the packages that contain them (Debian: {names})")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    options = ["--yes", "--quiet", "--no-install-recommends", "--no-remove"]
    with progress.step(f"installed {names} with apt-get"):
        commands.output_of(
            ["apt-get", "update", "--quiet"], purpose="updating the package lists", environment=environment
        )
        install = ["apt-get", "install", *options, *missing]
        commands.output_of(install, purpose=f"installing {names}", environment=environment)


def _missing(package: DebianPackage) -> list[str]:
    programs = [name for name in package.programs if shutil.which(name, path=SEARCH_PATH) is None]
    return programs + [file for file in package.files if not Path(file).exists()]
