"""The charts of a release in a real registry: the command of the release workflow pushes them, and Helm pulls them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lab.oci import Layout
from release import charts
from release.distributions import ROOT

from .pull_through import PullThrough, pull_through


@pytest.fixture(scope="module")
def registry(
    registry_program: Path, hub_program: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PullThrough]:
    with pull_through(registry_program, hub_program, tmp_path_factory.mktemp("published-charts")) as running:
        yield running


@pytest.mark.parametrize("name", ["auth", "registry"])
def test_helm_pulls_the_bytes_of_the_release(registry: PullThrough, name: str, tmp_path: Path) -> None:
    programs = [shutil.which(program) for program in ("skopeo", "helm")]
    if None in programs:
        pytest.skip("skopeo or helm is not on PATH: run this in the lab")
    packaged = [charts.package(file.parent, 1_800_000_000) for file in sorted((ROOT / "charts").glob("*/Chart.yaml"))]
    (chart,) = (found for found in packaged if found.name == name)
    Layout(charts.layout(packaged), "").write_archive(tmp_path / "charts.oci.tar")
    host = registry.storage.removeprefix("http://")
    source = f"oci-archive:{tmp_path}/charts.oci.tar:{chart.name}-{chart.version}"
    target = f"docker://{host}/charts/{chart.name}:{chart.version}"
    push = ["skopeo", "--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false", source, target]
    subprocess.run(push, check=True)
    pull = ["helm", "pull", f"oci://{host}/charts/{name}", "--plain-http", "--version", chart.version]
    subprocess.run(pull, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / chart.file_name).read_bytes() == chart.archive
    shown = subprocess.run(["helm", "show", "chart", tmp_path / chart.file_name], capture_output=True, check=True)
    assert yaml.safe_load(shown.stdout) == chart.metadata
