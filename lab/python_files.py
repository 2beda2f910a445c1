"""The files of this machine's Python, for images: the interpreter, its standard library and their shared libraries."""

import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from lab.oci import Entry
from lab.shared_libraries import libraries

# Where the official image has them. Python finds its library relative to its program, so both may move.
PREFIX = "usr/local"
PROGRAM = f"{PREFIX}/bin/python3"
_NOT_NEEDED = {
    *("__pycache__", "test", "tests", "site-packages", "dist-packages", "idlelib", "tkinter", "turtledemo"),
    *("ensurepip", "lib2to3", "pydoc_data"),
}
_TEST_MODULES = ("_test", "_ctypes_test", "_xx", "xx")


def entries() -> tuple[Entry, ...]:
    """Python without tests, and without tools that need a screen or a network; `python3` starts it."""
    program = Path(sys.executable).resolve()
    files = list(files_below(Path(sysconfig.get_path("stdlib"))))
    needed = [program, *(file for file in files if file.suffix == ".so")]
    return (
        *(Entry(directory, mode=0o755) for directory in (PREFIX, f"{PREFIX}/bin")),
        *libraries(*needed),
        Entry(f"{PREFIX}/bin/{program.name}", program.read_bytes(), mode=0o755),
        *([] if program.name == "python3" else [Entry(PROGRAM, target=program.name)]),
        *(Entry(f"{PREFIX}/{file.relative_to(sys.base_prefix)}", file.read_bytes()) for file in files),
    )


def files_below(directory: Path) -> Iterator[Path]:
    """The files below a directory of Python code that a program needs, in a fixed order."""
    for path in sorted(directory.iterdir()):
        if path.is_dir() and path.name not in _NOT_NEEDED and not path.name.startswith("config-"):
            yield from files_below(path)
        elif path.is_file() and not path.name.startswith(_TEST_MODULES):
            yield path
