"""The shared libraries of programs, for images."""

import re
import subprocess
from pathlib import Path

from lab.oci import Entry


def with_libraries(path: str, source: Path) -> tuple[Entry, ...]:
    """A program and, unless it is static, its shared libraries, in the same directories as on this machine."""
    return (*libraries(source), Entry(path, source.read_bytes(), mode=0o755))


def libraries(*sources: Path) -> tuple[Entry, ...]:
    """The shared libraries of programs and extension modules, in the same directories as on this machine."""
    listed = subprocess.run(["ldd", *sources], capture_output=True, text=True, check=False).stdout
    files = sorted(set(re.findall(r"(/\S+) \(0x", listed)))
    directories = sorted({str(parent).lstrip("/") for file in files for parent in Path(file).parents} - {""})
    return (
        *(Entry(directory, mode=0o755) for directory in directories),
        *(Entry(file.lstrip("/"), Path(file).read_bytes(), mode=0o755) for file in files),
    )
