"""What the image is made of: one file says its settings, and its Helm is the one that the tests run."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from lab.components import PUBLISHED_PROGRAMS
from regmirror.config.verification import Verification
from release import build, containerfile, image, packages
from release.distributions import ROOT
from release.errors import ReleaseError

FILE = ROOT / "Containerfile"
LONG = bool(os.environ.get("REGMIRROR_LONG"))


def test_the_image_runs_regmirror_as_a_user_without_a_name() -> None:
    settings = containerfile.settings(FILE)
    assert settings["Entrypoint"] == ["regmirror"]
    assert settings["User"] == "65532:65532"
    assert f"PYTHONPATH=/{packages.DIRECTORY}" in settings["Env"]
    assert settings["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_an_instruction_that_the_lab_would_ignore_is_an_error(tmp_path: Path) -> None:
    changed = tmp_path / "Containerfile"
    changed.write_text(FILE.read_text() + "WORKDIR /work\n")
    with pytest.raises(ReleaseError, match="WORKDIR in the last stage is not supported"):
        containerfile.settings(changed)


def test_base_images_have_a_tag() -> None:
    assert all(re.fullmatch(r"docker\.io/library/\w+:[\w.-]+", name) for name in containerfile.arguments(FILE).values())


def test_the_image_has_the_helm_that_the_lab_runs() -> None:
    (in_lab,) = (program.version for program in PUBLISHED_PROGRAMS if program.name == "helm4")
    assert f"\thelm.sh/helm/v4 {in_lab} " in (ROOT / "release" / "helm" / "go.mod").read_text()


@pytest.mark.skipif(not LONG, reason="downloads every dependency: set REGMIRROR_LONG")
@pytest.mark.parametrize(("architecture", "machine"), [("amd64", "x86-64"), ("arm64", "aarch64")])
def test_every_dependency_has_files_for_both_architectures(architecture: str, machine: str, tmp_path: Path) -> None:
    artifacts = tmp_path / "dist"
    build.build(artifacts, allow_uncommitted=True)
    packages.install(architecture, artifacts, tmp_path / "installed")
    extensions = [path for path in (tmp_path / "installed").rglob("*.so") if path.is_file()]
    described = subprocess.run(["file", "--brief", *extensions], capture_output=True, text=True, check=True).stdout
    assert len(extensions) > 10
    assert {line for line in described.splitlines() if machine not in line} == set()
    assert not (tmp_path / "installed" / "botocore" / "data" / "ec2").exists()
    assert list((tmp_path / "installed" / "botocore" / "data" / "s3").iterdir())
    assert list((tmp_path / "installed" / "regmirror").glob("__pycache__/*.pyc"))


def test_the_image_is_the_one_that_jobs_of_a_mirror_run() -> None:
    assert Verification().image == image.REFERENCE
