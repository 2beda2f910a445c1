"""Debian packages, installed or unpacked only if the lab lacks one of their programs or files."""

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from lab import cache, commands, progress
from lab.components import BROWSER_PACKAGES, CLIENT_PACKAGES, DEBIAN_PACKAGES, DebianPackage, UnpackedPackage
from lab.errors import CannotRunHereError

CACHE_NAME = "debian-clients"
# Some programs are in directories that are only on root's PATH, and not even there after `su`.
SEARCH_PATH = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
INSTALL_OPTIONS = ("--no-install-recommends", "--no-remove")


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
    needs_browser = os.environ.get("LAB_DOCKER_AUTH") or os.environ.get("REGMIRROR_LONG")
    wanted = DEBIAN_PACKAGES + (BROWSER_PACKAGES if needs_browser else ())
    missing = {package.name: what for package in wanted if (what := _missing(package))}
    if not missing:
        return
    names = " ".join(missing)
    if shutil.which("apt-get") is None:
        things = ", ".join(item for items in missing.values() for item in items)
        raise CannotRunHereError(f"missing: {things}. Install the packages that contain them (Debian: {names})")
    with progress.step(f"installed {names} with apt-get"):
        _apt_get(["update", "--quiet"], "updating the package lists")
        _apt_get(["install", "--yes", "--quiet", *INSTALL_OPTIONS, *missing], f"installing {names}")


def unpacked_clients(cache_directory: Path) -> Path | None:
    """The directory with the files of the clients that this machine lacks; None if it lacks none, or without apt-get.

    They are not installed: docker.io would start a daemon that changes the firewall of this machine.
    """
    missing = [package.name for package in CLIENT_PACKAGES if _missing(package)]
    if not missing:
        return None
    if shutil.which("apt-get") is None:
        progress.say(f"  skipped {', '.join(missing)}: they require apt-get")
        return None
    entry = cache_directory / CACHE_NAME / cache.text_key(*missing, Path("/etc/os-release").read_text())
    if not entry.is_dir():
        with progress.step(f"unpacked {' '.join(missing)} from Debian packages"):
            cache.fill(entry, lambda target: _unpack(missing, target))
    return entry


def _unpack(names: Sequence[str], target: Path) -> None:
    """Unpacks packages, and what they depend on and this machine lacks."""
    _apt_get(["update", "--quiet"], "updating the package lists")
    simulated = _apt_get(["install", "--simulate", *INSTALL_OPTIONS, *names], f"resolving {' '.join(names)}")
    # A line with the installed version in brackets is an upgrade.
    _extract(re.findall(r"^Inst (\S+) \(", simulated, re.MULTILINE), target)


def unpacked(package: UnpackedPackage, cache_directory: Path) -> dict[str, Path]:
    """The programs of a package by name, unpacked unless they are cached; nothing without apt-get.

    Raises LabError if apt-get fails.
    """
    entry = cache_directory / package.name / cache.text_key(repr(package))
    if not entry.is_dir():
        if shutil.which("apt-get") is None:
            progress.say(f"  skipped {package.name}: it requires apt-get, which is not installed")
            return {}
        with progress.step(f"unpacked {package.name} from a Debian package"):
            cache.fill(entry, lambda target: _unpack_programs(package, target))
    return {name: entry / name for name in package.programs}


def _unpack_programs(package: UnpackedPackage, target: Path) -> None:
    """Without what the package depends on, which only its web pages need."""
    scratch = target / "scratch"
    scratch.mkdir()
    _apt_get(["update", "--quiet"], "updating the package lists")
    _extract([package.name], scratch)
    for name in package.programs:
        (scratch / "usr" / "bin" / name).rename(target / name)
    shutil.rmtree(scratch)


def _extract(names: Sequence[str], target: Path) -> None:
    archives = target / "archives"
    archives.mkdir()
    _apt_get(["download", "--quiet", *names], f"downloading {' '.join(names)}", archives)
    for archive in archives.iterdir():
        commands.output_of(["dpkg-deb", "--extract", archive, target], purpose=f"unpacking {archive.name}")
    shutil.rmtree(archives)


def _apt_get(words: Sequence[str], purpose: str, directory: Path | None = None) -> str:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return commands.output_of(["apt-get", *words], purpose=purpose, directory=directory, environment=environment)


def _missing(package: DebianPackage) -> list[str]:
    programs = [name for name in package.programs if shutil.which(name, path=SEARCH_PATH) is None]
    return programs + [file for file in package.files if not Path(file).exists()]
