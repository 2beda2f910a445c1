"""The image of regmirror from the files of this machine, without a container engine: for the lab and its tests.

The published image comes from the Containerfile. This one has the same settings and the same files at the same paths,
on this machine's Python instead of the official image of Python.
"""

import sys
import tempfile
from pathlib import Path

from lab import cache, locks, python_files
from lab.images import AUTHORITIES, CACHE_NAME
from lab.oci import Entry, Image, layout
from lab.shared_libraries import libraries
from release import containerfile, helm, packages
from release.build import VERSION
from release.distributions import ROOT

REPOSITORY = "ghcr.io/regmirror-kube/regmirror"
REFERENCE = f"{REPOSITORY}:{VERSION}"
"""The name of the published image of this version."""


def write(wheel: Path, helm_program: Path, cache_directory: Path, file: Path) -> None:
    """Writes the image as an OCI layout in a tar file, for this machine's architecture.

    The dependencies come from this environment. Raises ReleaseError if a part is missing.
    """
    dependencies = _dependencies(cache_directory)
    with tempfile.TemporaryDirectory() as directory:
        packages.unpack(wheel, Path(directory))
        program = Entry("usr/local/bin/regmirror", (packages.SCRIPTS / "regmirror").read_bytes(), mode=0o755)
        image = Image(
            (*packages.entries(Path(directory)), program),
            containerfile.settings(ROOT / "Containerfile"),
            lower=(
                _python(dependencies),
                (Entry("usr/local/bin/helm", helm_program.read_bytes(), mode=0o755),),
                packages.entries(dependencies),
            ),
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    layout([image], REFERENCE).write_archive(file)


def write_with_new_helm(artifacts: Path, cache_directory: Path, file: Path) -> None:
    """Writes the image with the wheel that `build` has written to `artifacts`, and with Helm from its sources."""
    write(packages.wheel(artifacts), helm.build("amd64", cache_directory), cache_directory, file)


def _dependencies(cache_directory: Path) -> Path:
    """The directory of the dependencies, from the build cache: compiling them takes longest.

    Under the lock of the cache, because a lab that starts removes what looks like the remains of a killed build.
    """
    sources = [(packages.SCRIPTS / "prepare.sh").read_text(), Path(packages.__file__).read_text()]
    pins = (ROOT / "requirements" / "development.txt").read_text()
    key = cache.text_key("dependencies", sys.version, pins, *sources)
    cache_directory.mkdir(parents=True, exist_ok=True)
    with locks.held(cache_directory, "is building the lab's programs"):
        return cache.fill(cache_directory / CACHE_NAME / key, packages.copy_dependencies)


def _python(dependencies: Path) -> tuple[Entry, ...]:
    """Python, the libraries that it and the packages need, and what every base image has."""
    extensions = sorted(path for path in dependencies.rglob("*.so*") if path.is_file())
    return (
        *python_files.entries(),
        *libraries(*extensions),
        Entry(str(AUTHORITIES).lstrip("/"), AUTHORITIES.read_bytes()),
        Entry("tmp", mode=0o1777),
    )
