"""Clients from Debian packages are unpacked into the build cache; nothing is installed on the machine."""

from pathlib import Path

import pytest

from lab import debian
from lab.components import CLIENT_PACKAGES

APT_GET = """\
#!/bin/sh
echo "$*" >> {calls}
case "$1" in
install)
    echo "Inst passwd [1:4.13-1] (1:4.13-2 Debian:12 [amd64])"
    echo "Inst podman (4.3.1 Debian:12 [amd64])"
    echo "Inst libsubid4 (1:4.13-2 Debian:12 [amd64])"
    ;;
download) shift 2; for name in "$@"; do : > "$name.deb"; done ;;
esac
"""
DPKG_DEB = """\
#!/bin/sh
mkdir -p "$3/usr/bin" && : > "$3/usr/bin/$(basename "$2" .deb)"
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What apt-get was called with, on a machine that has no client."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, text in {"apt-get": APT_GET.format(calls=tmp_path / "calls"), "dpkg-deb": DPKG_DEB}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setattr(debian, "SEARCH_PATH", str(programs))
    return tmp_path / "calls"


def test_packages_and_their_missing_dependencies_are_unpacked(calls: Path, tmp_path: Path) -> None:
    unpacked = debian.unpacked_clients(tmp_path / "cache")
    assert unpacked
    assert sorted(path.name for path in (unpacked / "usr/bin").iterdir()) == ["libsubid4", "podman"]
    assert [path.name for path in unpacked.iterdir()] == ["usr"]
    assert [line for line in calls.read_text().splitlines() if "install" in line and "--simulate" not in line] == []


def test_the_second_lab_uses_the_same_files(calls: Path, tmp_path: Path) -> None:
    first = debian.unpacked_clients(tmp_path / "cache")
    called = calls.read_text()
    assert debian.unpacked_clients(tmp_path / "cache") == first
    assert calls.read_text() == called


def test_clients_of_the_machine_are_used(calls: Path, tmp_path: Path) -> None:
    for package in CLIENT_PACKAGES:
        for name in package.programs:
            (calls.parent / "programs" / name).symlink_to("/bin/true")
    assert debian.unpacked_clients(tmp_path / "cache") is None
    assert not calls.exists()
