"""The packages: the same bytes whenever and wherever they are built, with everything a user needs and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from release import distributions, provenance
from release.build import VERSION
from release.distributions import ROOT
from tests.release.conftest import Artifacts

pytestmark = pytest.mark.wheel


def copy_of_the_sources(target: Path) -> Path:
    """The files of the working tree that Git knows or would add, all with the time of now."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in names:
        if name and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target / name)
            shutil.copymode(ROOT / name, target / name)
    return target


def test_another_directory_another_day_another_user_the_same_bytes(
    artifacts: Artifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("LC_ALL", "C")
    before = os.umask(0o077)
    try:
        sources = copy_of_the_sources(tmp_path / "elsewhere")
        target = tmp_path / "built"
        target.mkdir()
        built = distributions.build(target, provenance.source().seconds, sources)
    finally:
        os.umask(before)
    assert [file.name for file in built if file.read_bytes() != (artifacts.directory / file.name).read_bytes()] == []


def test_the_wheel_has_the_program_and_its_bill_of_materials_only(artifacts: Artifacts) -> None:
    with zipfile.ZipFile(artifacts.only("*.whl")) as wheel:
        names = wheel.namelist()
    metadata = f"regmirror_kube-{VERSION}.dist-info"
    assert {name.partition("/")[0] for name in names} == {"regmirror", metadata}
    assert f"{metadata}/sboms/regmirror.cdx.json" in names
    assert "regmirror/charts/registry/Chart.yaml" in names
    assert [name for name in names if re.search(r"__pycache__|\.pyc$|/tests?/|/lab/|regmirror\.yaml$", name)] == []


def test_the_sdist_has_no_tests_and_no_lab(artifacts: Artifacts) -> None:
    with tarfile.open(artifacts.only("*.tar.gz")) as sdist:
        names = {name.split("/")[1] for name in sdist.getnames() if "/" in name}
    assert {"regmirror", "charts", "templates", "pyproject.toml", "LICENSE"} <= names
    assert names.isdisjoint({"tests", "lab", "bench", "demo", ".github", ".ci"})


def test_the_constraints_pin_regmirror_and_everything_that_the_tests_ran_with(artifacts: Artifacts) -> None:
    text = (artifacts.directory / "constraints.txt").read_text()
    assert text.endswith((ROOT / "requirements" / "runtime.txt").read_text())
    own = text.partition("regmirror-kube==")[2].partition("\naio")[0]
    files = (artifacts.only("*.whl"), artifacts.only("*.tar.gz"))
    assert own.startswith(f"{VERSION} ")
    assert re.findall(r"sha256:(\w+)", own) == [distributions.digest(file) for file in files]


def test_pip_refuses_a_wheel_with_a_changed_byte(artifacts: Artifacts, tmp_path: Path) -> None:
    """Dependencies are left out: their hashes are compared in the same way."""
    shutil.copytree(artifacts.directory, tmp_path / "dist")
    assert pip_installs_regmirror(tmp_path / "dist", tmp_path / "first")[0]
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    content = bytearray(wheel.read_bytes())
    content[len(content) // 2] ^= 1
    wheel.write_bytes(content)
    installed, output = pip_installs_regmirror(tmp_path / "dist", tmp_path / "second")
    assert not installed
    assert "DO NOT MATCH THE HASHES" in output


def pip_installs_regmirror(directory: Path, target: Path) -> tuple[bool, str]:
    """Whether pip installs regmirror, without its dependencies, from the files and hashes of a directory."""
    pinned = (directory / "constraints.txt").read_text().partition("\naio")[0]
    requirements = directory / "regmirror-only.txt"
    requirements.write_text(pinned + "\n")
    options = ["--no-deps", "--no-index", "--require-hashes", "--only-binary=:all:", "--find-links", str(directory)]
    command = [sys.executable, "-m", "pip", "install", *options, "-r", str(requirements), "--target", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stderr


@pytest.mark.skipif(not os.environ.get("REGMIRROR_LONG"), reason="downloads every dependency: set REGMIRROR_LONG")
def test_a_new_environment_without_a_package_index_runs_regmirror(artifacts: Artifacts, tmp_path: Path) -> None:
    """The commands of the guide for a network without internet access: one machine downloads, another one installs."""
    venv.create(tmp_path / "venv", with_pip=True)
    pip = [str(tmp_path / "venv" / "bin" / "python"), "-m", "pip"]
    strict = ["--quiet", "--require-hashes", "--only-binary=:all:", "-r", str(artifacts.directory / "constraints.txt")]
    wheels = ["--dest", str(tmp_path / "wheels")]
    subprocess.run([*pip, "download", *strict, "--find-links", str(artifacts.directory), *wheels], check=True)
    subprocess.run([*pip, "install", *strict, "--no-index", "--find-links", str(tmp_path / "wheels")], check=True)
    program = str(tmp_path / "venv" / "bin" / "regmirror")
    shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert shown.stdout == f"regmirror {VERSION}\n"
    init = ["init", "--yes", "--host=mirror.example.com", "--bucket=layers", "--allow=library"]
    subprocess.run([program, *init], check=True, cwd=tmp_path)
    subprocess.run([program, "config", "validate"], check=True, cwd=tmp_path)
