"""The charts as OCI artifacts: Helm reads them from the release's file and from a registry."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from release import charts
from release.distributions import ROOT

SECONDS = 1_800_000_000
CHARTS = sorted(file.parent for file in (ROOT / "charts").glob("*/Chart.yaml"))


@pytest.mark.parametrize("directory", CHARTS, ids=lambda directory: directory.name)
def test_a_packaged_chart_has_the_files_of_its_directory_and_one_time(directory: Path) -> None:
    chart = charts.package(directory, SECONDS)
    with tarfile.open(fileobj=io.BytesIO(chart.archive)) as archive:
        members = archive.getmembers()
        contents = {member.name: archive.extractfile(member) for member in members}
        files = {name: file.read() for name, file in contents.items() if file}
    assert members[0].name == f"{chart.name}/Chart.yaml"
    assert {member.mtime for member in members} == {SECONDS}
    expected = {
        f"{chart.name}/{path.relative_to(directory)}": path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != ".helmignore"
    }
    assert files == expected
    assert gzip.decompress(chart.archive)


def test_every_descriptor_of_the_layout_matches_its_blob() -> None:
    packaged = [charts.package(directory, SECONDS) for directory in CHARTS]
    files = charts.layout(packaged)

    def blob(descriptor: dict[str, Any]) -> bytes:
        content = files[f"blobs/{descriptor['digest'].replace(':', '/')}"]
        assert (len(content), hashlib.sha256(content).hexdigest()) == (descriptor["size"], descriptor["digest"][7:])
        return content

    manifests = json.loads(files["index.json"])["manifests"]
    names = [manifest["annotations"]["org.opencontainers.image.ref.name"] for manifest in manifests]
    assert names == [f"{chart.name}-{chart.version}" for chart in packaged]
    for descriptor, chart in zip(manifests, packaged, strict=True):
        manifest = json.loads(blob(descriptor))
        assert json.loads(blob(manifest["config"]))["name"] == chart.name
        (layer,) = manifest["layers"]
        assert (layer["mediaType"], blob(layer)) == (charts.CONTENT, chart.archive)
