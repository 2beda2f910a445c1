"""Builds an image with Python, regmirror and Helm from the files of this machine."""

import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from lab import python_files
from lab.images import AUTHORITIES
from lab.instance import Instance
from lab.oci import Entry, Image, layout
from lab.shared_libraries import with_libraries

_ROOT = Path(__file__).parents[2]
# Not the paths of this machine: a pod mounts its own directory at /tmp.
_CODE, _PACKAGES = "opt/regmirror", "opt/packages"
_START = f"#!/{python_files.PROGRAM}\nfrom regmirror.__main__ import main\nmain()\n".encode()


def import_python_image(reference: str, authority: Path, directory: Path) -> None:
    """Build the image, which also trusts this CA, and import it into the lab's containerd."""
    helm = shutil.which("helm")
    assert helm
    trusted = AUTHORITIES.read_bytes() + authority.read_bytes()
    entries = [
        *python_files.entries(),
        *(entry for path, file in _files().items() for entry in _entries(path, file)),
        Entry("etc/passwd", b"regmirror:x:1000:1000::/tmp:/bin/false\n"),
        Entry("etc/ssl/authorities.crt", trusted),
        Entry("usr/local/bin/helm", Path(helm).read_bytes(), mode=0o755),
        Entry("usr/local/bin/regmirror", _START, mode=0o755),
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


def _files() -> dict[str, Path]:
    """regmirror and the packages that it requires, by path in the image."""
    packages = Path(sysconfig.get_path("purelib"))
    found = {f"{_PACKAGES}/{file.relative_to(packages)}": file for file in _packages() if packages in file.parents}
    code = (file for name in ("regmirror", "charts", "templates") for file in python_files.files_below(_ROOT / name))
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
