"""The Python packages of the image: regmirror from its wheel, and what it requires at run time."""

import os
import re
import shutil
import sys
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from lab.oci import Entry
from release.errors import ReleaseError
from release.processes import output_of

DIRECTORY = "opt/regmirror"
"""Where the image has them: the Containerfile and prepare.sh name it, too."""
SCRIPTS = Path(__file__).parent / "image"
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def wheel(artifacts: Path) -> Path:
    """The wheel in a directory; raises ReleaseError unless there is exactly one."""
    found = sorted(artifacts.glob("*.whl"))
    if len(found) != 1:
        raise ReleaseError(f"{artifacts} has {len(found)} wheels instead of one: run `make release`")
    return found[0]


def install(architecture: str, artifacts: Path, target: Path) -> None:
    """Installs the wheel and its dependencies in `target` with the script of the Containerfile, for amd64 or arm64.

    `artifacts` has the wheel and the constraints. Each file comes from the package index and has its hash there.
    """
    _run("install.sh", architecture, artifacts, target)


def unpack(archive: Path, target: Path) -> None:
    """Unpacks a wheel in `target`; needs no package index."""
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(target)
    _run("prepare.sh", target)


def copy_dependencies(target: Path) -> None:
    """Copies what regmirror requires from this environment to `target`; needs no package index."""
    for distribution in _required("regmirror-kube"):
        for file in distribution.files or ():
            source = Path(str(distribution.locate_file(file)))
            if source.is_file() and source.suffix != ".pyc" and ".." not in file.parts:
                (target / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target / file)
    _run("prepare.sh", target)


def entries(directory: Path) -> tuple[Entry, ...]:
    """The files of such a directory, at their place in the image."""
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return tuple(Entry(f"{DIRECTORY}/{path.relative_to(directory)}", path.read_bytes()) for path in files)


def _run(script: str, *arguments: str | Path) -> None:
    """Runs a script of the image with this Python."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    output_of([SCRIPTS / script, *arguments], f"release/image/{script}", environment={"PATH": path})


def _required(name: str) -> Iterator[metadata.Distribution]:
    """The installed distributions that `name` requires, directly or not; raises ReleaseError if it is not installed."""
    todo, seen = _requirements(name), {name}
    while todo:
        required = todo.pop()
        if required in seen:
            continue
        seen.add(required)
        try:
            found = metadata.distribution(required)
        except metadata.PackageNotFoundError:
            continue  # for another platform
        todo += _requirements(required)
        yield found


def _requirements(name: str) -> list[str]:
    try:
        found = metadata.requires(name) or []
    except metadata.PackageNotFoundError as error:
        raise ReleaseError(f"{name} is not installed in this environment: run `make .venv/ready`") from error
    return [match[0] for line in found if "extra ==" not in line and (match := _NAME.match(line))]
