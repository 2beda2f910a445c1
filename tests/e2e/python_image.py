"""Builds an image with Python, regmirror and Helm from the files of this machine."""

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from lab.images import AUTHORITIES, with_libraries
from lab.instance import Instance
from lab.oci import Entry, Image, layout

_ROOT = Path(__file__).parents[2]
# Not the paths of this machine: a pod mounts its own directory at /tmp.
_CODE, _PACKAGES = "opt/regmirror", "opt/packages"
_NOT_RUN = {"__pycache__", "test", "tests", "site-packages", "idlelib", "tkinter", "ensurepip", "turtledemo"}


def import_python_image(reference: str, authority: Path, directory: Path) -> None:
    """Build the image, which also trusts this CA, and import it into the lab's containerd."""
    helm = shutil.which("helm")
    assert helm
    python = Path(sys.executable).resolve()
    trusted = AUTHORITIES.read_bytes() + authority.read_bytes()
    entries = [
        *with_libraries(str(python)[1:], python),
        *(entry for path, file in _files().items() for entry in _entries(path, file)),
        Entry("etc/passwd", b"regmirror:x:1000:1000::/tmp:/bin/false\n"),
        Entry("etc/ssl/authorities.crt", trusted),
        Entry("usr/local/bin/helm", Path(helm).read_bytes(), mode=0o755),
        Entry("usr/local/bin/regmirror", _start(python), mode=0o755),
    ]
    settings = {
        "Env": [
            "PATH=/usr/local/bin",
            f"PYTHONPATH=/{_CODE}:/{_PACKAGES}",
            "SSL_CERT_FILE=/etc/ssl/authorities.crt",
        ]
    }
    file = directory / "regmirror-image.tar"
    layout([Image(tuple(entries), settings)], reference).write_archive(file)
    address = Instance.from_environment().containerd_socket
    subprocess.run(["ctr", "--address", address, "--namespace=k8s.io", "images", "import", file], check=True)
    file.unlink()


def _start(python: Path) -> bytes:
    return f"#!{python}\nfrom regmirror.__main__ import main\nmain()\n".encode()


def _files() -> dict[str, Path]:
    """The files that Python reads, by path in the image; the standard library has the same path as on this machine."""
    library, packages = Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("purelib"))
    found = {str(file)[1:]: file for file in _below(library)}
    found |= {f"{_PACKAGES}/{file.relative_to(packages)}": file for file in _packages() if packages in file.parents}
    code = (file for name in ("regmirror", "charts", "templates") for file in _below(_ROOT / name))
    return found | {f"{_CODE}/{file.relative_to(_ROOT)}": file for file in code}


def _entries(path: str, file: Path) -> tuple[Entry, ...]:
    return with_libraries(path, file) if file.suffix == ".so" else (Entry(path, file.read_bytes()),)


def _packages() -> Iterator[Path]:
    """The files of all packages that regmirror requires at run time."""
    todo, seen = ["regmirror-kube"], set()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            assert name != "regmirror-kube", "the package under test is not installed"
            continue  # for another platform
        needed = [requirement for requirement in found.requires or [] if "extra ==" not in requirement]
        todo += [re.split(r"[^\w.-]", requirement)[0] for requirement in needed]
        files = [Path(str(found.locate_file(file))) for file in found.files or []]
        yield from (file for file in files if file.is_file() and file.suffix != ".pyc" and ".." not in file.parts)


def _below(directory: Path) -> Iterator[Path]:
    for path in sorted(directory.iterdir()):
        if path.is_dir() and path.name not in _NOT_RUN and not path.name.startswith("config-"):
            yield from _below(path)
        elif path.is_file():
            yield path
