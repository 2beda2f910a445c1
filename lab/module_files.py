"""Files from Go modules, such as custom resource definitions, in the build cache; nothing is compiled."""

import json
import subprocess
import zipfile
from pathlib import Path, PurePosixPath

from lab import cache, progress
from lab.components import ModuleFiles
from lab.errors import LabError
from lab.toolchain import GoToolchain, build_environment


def entry(files: ModuleFiles, cache_directory: Path) -> Path:
    """The directory of the files in the build cache."""
    return cache_directory / files.name / cache.text_key(repr(files))


def fetch(files: ModuleFiles, go: GoToolchain, cache_directory: Path) -> Path:
    """Downloads the files unless they are cached; raises LabError if the hash of the module is not the pinned one."""
    found = entry(files, cache_directory)
    if not found.is_dir():
        with progress.step(f"downloaded {files.name} {files.version}"):
            cache.fill(found, lambda target: _extract(files, _download(files, go), target))
    return found


def _download(files: ModuleFiles, go: GoToolchain) -> Path:
    """The archive of the module.

    For a module that asks for a newer Go, the command fails after the download; its files are the same.
    """
    command = [str(go.program), "mod", "download", "-json", f"{files.module}@{files.version}"]
    done = subprocess.run(command, env=build_environment(), cwd="/", capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout or "{}")
    if "Zip" not in answer:
        raise LabError(f"cannot download {files.module}: {answer.get('Error') or done.stderr.strip()}")
    if answer["Sum"] != files.digest:
        raise LabError(
            f"downloading {files.module} failed: its hash is {answer['Sum']}, but lab/components.py pins {files.digest}"
        )
    return Path(answer["Zip"])


def _extract(files: ModuleFiles, archive: Path, target: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        names = [name for name in opened.namelist() if PurePosixPath(name).match(f"*/{files.pattern}")]
        for name in names:
            (target / PurePosixPath(name).name).write_bytes(opened.read(name))
    if not names:
        raise LabError(f"{files.module} {files.version} has no {files.pattern}: fix its entry in lab/components.py.")
