"""The charts of a release: Helm renders from the file what it renders from the directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from release import charts

from .cases import CHARTS, FULL
from .helm import DIRECTORY, Helm


@pytest.mark.parametrize("name", CHARTS)
def test_a_packaged_chart_renders_like_its_directory(helm: Helm, name: str, tmp_path: Path) -> None:
    packaged = charts.package(DIRECTORY / name, 1_800_000_000)
    file = tmp_path / packaged.file_name
    file.write_bytes(packaged.archive)
    from_file, from_directory = (
        helm.run("template", "mirror", str(chart), values=FULL[name]) for chart in (file, DIRECTORY / name)
    )
    assert from_directory.returncode == 0, from_directory.stderr
    assert from_file.stdout == from_directory.stdout
