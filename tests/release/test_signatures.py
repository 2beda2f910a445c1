"""What a user checks before they install: the commands of the guide accept a release, and refuse a changed one."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from release import checksums, distributions, provenance
from release.distributions import ROOT
from release.errors import ReleaseError
from tests.release.conftest import Artifacts

pytestmark = pytest.mark.wheel
GUIDE = (ROOT / "docs" / "guides" / "install.md").read_text()


def command(beginning: str) -> str:
    """The command of the guide that begins like this."""
    (found,) = re.findall(rf"^{beginning}.*$", GUIDE, re.MULTILINE)
    return str(found)


def accepted(release: Path) -> tuple[bool, bool]:
    """Whether the checksums match, and whether the signature is good."""
    results = [
        subprocess.run(["bash", "-c", command(name)], cwd=release, capture_output=True, check=False).returncode
        for name in ("sha256sum", "ssh-keygen")
    ]
    return results[0] == 0, results[1] == 0


@pytest.fixture
def release(artifacts: Artifacts, tmp_path: Path) -> Path:
    """A downloaded release."""
    shutil.copytree(artifacts.directory, tmp_path / "release")
    shutil.copy(artifacts.allowed_signers, tmp_path / "release" / "allowed_signers")
    return tmp_path / "release"


def test_an_unchanged_release_is_accepted(release: Path) -> None:
    assert accepted(release) == (True, True)


def test_a_release_of_which_only_some_files_were_downloaded_is_accepted(release: Path) -> None:
    next(release.glob("*.tar.gz")).unlink()
    assert accepted(release) == (True, True)


@pytest.mark.parametrize("pattern", ["*.whl", "constraints.txt", "chart-registry-*.tgz", "provenance.json"])
def test_a_changed_byte_is_refused(release: Path, pattern: str) -> None:
    (file,) = release.glob(pattern)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert accepted(release) == (False, True)


def test_changed_checksums_are_refused(release: Path) -> None:
    """Someone who changes a file can change its checksum as well, but cannot sign the list."""
    (release / "constraints.txt").write_text("regmirror-kube==9\n")
    checksums.write(release)
    assert accepted(release) == (True, False)


def test_the_signature_of_somebody_else_is_refused(release: Path, tmp_path: Path) -> None:
    key = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    checksums.sign(release / checksums.NAME, key)
    assert accepted(release) == (True, False)


def test_a_signature_for_another_purpose_is_refused(release: Path, artifacts: Artifacts) -> None:
    key = artifacts.allowed_signers.with_name("key")
    (release / "SHA256SUMS.sig").unlink()
    sign = ["ssh-keygen", "-Y", "sign", "-f", str(key), "-n", "git", str(release / "SHA256SUMS")]
    subprocess.run(sign, check=True, capture_output=True)
    assert accepted(release) == (True, False)


def test_every_file_is_listed_and_the_provenance_names_them_and_the_commit(artifacts: Artifacts) -> None:
    files = {file.name: distributions.digest(file) for file in artifacts.directory.iterdir()}
    del files["SHA256SUMS"], files["SHA256SUMS.sig"]
    sums = (artifacts.directory / "SHA256SUMS").read_text().splitlines()
    assert dict(line.split("  ")[::-1] for line in sums) == files
    statement = json.loads((artifacts.directory / "provenance.json").read_text())
    del files["provenance.json"]
    assert {subject["name"]: subject["digest"]["sha256"] for subject in statement["subject"]} == files
    source = provenance.source()
    dependencies = {found["name"]: found for found in statement["predicate"]["buildDefinition"]["resolvedDependencies"]}
    assert dependencies["source"].get("digest") == (None if source.is_changed else {"gitCommit": source.commit})
    assert set(provenance.PINS) < set(dependencies)


def test_a_release_is_not_built_from_uncommitted_changes(tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    provenance.require_unchanged(provenance.source(tmp_path))
    (tmp_path / "file").touch()
    with pytest.raises(ReleaseError, match="uncommitted changes"):
        provenance.require_unchanged(provenance.source(tmp_path))
