"""The wheel and the sdist, and the constraints with which both are installed."""

import hashlib
import sys
from pathlib import Path

from release.processes import output_of

ROOT = Path(__file__).parents[1]
_INTRODUCTION = """\
# {name} {version} and every dependency, with the hashes of their files: the versions that the tests ran with.
#
#     pip install --require-hashes -r constraints.txt
#     uv tool install --constraints constraints.txt {name}
"""


def build(target: Path, seconds: int, source: Path = ROOT) -> tuple[Path, Path]:
    """Builds the sdist, and the wheel from the sdist; every time stamp in them is `seconds` since 1970.

    The same sources make the same bytes. Raises ReleaseError if the build fails.
    """
    command: list[str | Path] = [sys.executable, "-m", "build", "--no-isolation", "--outdir", target, source]
    output_of(command, "building the packages", environment={"SOURCE_DATE_EPOCH": str(seconds)})
    (wheel,) = target.glob("*.whl")
    (sdist,) = target.glob("*.tar.gz")
    return wheel, sdist


def constraints(name: str, version: str, files: tuple[Path, ...], runtime: str) -> str:
    """A requirements file for exactly these files of regmirror, and the pins of requirements/runtime.txt."""
    own = [f"{name}=={version}", *(f"    --hash=sha256:{digest(file)}" for file in files)]
    return _INTRODUCTION.format(name=name, version=version) + " \\\n".join(own) + "\n" + runtime


def digest(file: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
