"""The charts of valkey-io and cesanta, which are not in this repository: installed, changed to, verified, rotated."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.deployed_mirror import DeployedMirror

pytestmark = pytest.mark.lab

CHARTS = {part: os.environ.get(f"LAB_{part.upper()}_CHART") for part in ("redis", "auth")}
FLAVORS = {"redis": "valkey", "auth": "cesanta"}


@pytest.mark.parametrize("part", list(CHARTS))
def test_a_mirror_changes_to_another_chart(part: str, new_mirror: Callable[[], DeployedMirror]) -> None:
    path = CHARTS[part]
    if not path:
        pytest.skip(f"LAB_{part.upper()}_CHART does not name the directory of a chart")
    mirror = new_mirror()
    assert mirror.deploy().code == 0
    mirror.change_file(**{part: {"chart": {"flavor": FLAVORS[part], "path": str(Path(path).resolve())}}})
    outcome = mirror.deploy()
    assert outcome.code == 0, outcome.stderr
    assert "do not pass Pod Security" not in outcome.stderr
    outcome = mirror.verify()
    assert outcome.code == 0, outcome.stdout
    assert mirror.deploy("--dry-run").code == 0
    outcome = mirror.rotate("--force")
    assert outcome.code == 0, outcome.stderr
    assert mirror.deploy("--dry-run").code == 0
    outcome = mirror.regmirror("destroy", "--yes")
    assert outcome.code == 0, outcome.stderr
    assert mirror.objects("deployments") == []
