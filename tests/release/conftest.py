"""The artifacts of a release, built once from the working tree, and signed with a key of their own."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from release import build


@dataclass(frozen=True)
class Artifacts:
    """The directory that `make release` writes, and the file of allowed signers for its signature."""

    directory: Path
    allowed_signers: Path

    def only(self, pattern: str) -> Path:
        """The one file that matches."""
        (found,) = self.directory.glob(pattern)
        return found


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Artifacts:
    """The artifacts; tests that change them work on a copy."""
    directory = tmp_path_factory.mktemp("release")
    key = directory / "key"
    generate = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "a test", "-f", str(key)]
    subprocess.run(generate, check=True)
    signers = directory / "allowed_signers"
    signers.write_text(f"release {key.with_suffix('.pub').read_text()}")
    build.build(directory / "dist", key, allow_uncommitted=True)
    return Artifacts(directory / "dist", signers)
