"""The Python of an image is complete, and finds its standard library where the image has it."""

import subprocess
from pathlib import Path

from lab import python_files

SCRIPT = "import ctypes, hashlib, http.server, json, sqlite3, ssl, sys, zlib; print(sys.prefix, *sys.path[1:])"


def test_python_runs_from_its_place_in_the_image(tmp_path: Path) -> None:
    for entry in python_files.entries():
        if entry.path.startswith(python_files.PREFIX):
            write(tmp_path / entry.path, entry.content, entry.target, entry.mode)
    words = [str(tmp_path / python_files.PROGRAM), "-I", "-c", SCRIPT]
    done = subprocess.run(words, env={}, capture_output=True, text=True, check=True)
    prefix, *search_path = done.stdout.split()
    assert Path(prefix) == tmp_path / python_files.PREFIX
    assert all(Path(directory).is_relative_to(prefix) for directory in search_path)


def test_an_image_has_no_tests_and_no_packages_of_this_machine() -> None:
    names = {part for entry in python_files.entries() for part in Path(entry.path).parts}
    assert not names & {"test", "tests", "site-packages", "dist-packages", "__pycache__", "idlelib"}


def write(path: Path, content: bytes | None, target: str | None, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    elif target is not None:
        path.symlink_to(target)
