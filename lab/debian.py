"""Debian's packages, installed only where what the lab needs of them is missing."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from lab import commands, progress
from lab.components import DEBIAN_PACKAGES, DebianPackage
from lab.errors import CannotRunHereError


def missing(packages: Sequence[DebianPackage] = DEBIAN_PACKAGES) -> list[DebianPackage]:
    """The packages one of whose files is not on this machine."""
    return [package for package in packages if not all(Path(file).exists() for file in package.files)]


def install_missing() -> None:
    """Installs what is missing by apt-get; raises CannotRunHereError where there is no apt-get."""
    wanted = missing()
    if not wanted:
        return
    names = " ".join(package.name for package in wanted)
    if shutil.which("apt-get") is None:
        files = ", ".join(file for package in wanted for file in package.files if not Path(file).exists())
        raise CannotRunHereError(
            f"These files are missing: {files}. On Debian, {names} have them; there is no apt-get here."
        )
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with progress.step(f"installed {names} by apt-get"):
        commands.output_of(
            ["apt-get", "update", "--quiet"], purpose="Updating the package lists", environment=environment
        )
        commands.output_of(
            [
                "apt-get",
                "install",
                "--yes",
                "--quiet",
                "--no-install-recommends",
                *(package.name for package in wanted),
            ],
            purpose=f"Installing {names}",
            environment=environment,
        )
