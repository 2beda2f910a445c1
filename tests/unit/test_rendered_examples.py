"""The manifests of every example, as ``regmirror render`` prints them, are golden files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from regmirror.cli.app import app
from tests.charts.helm import find_helm
from tests.golden import check_golden

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


@pytest.mark.helm
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_manifests_of_an_example_are_the_golden_file(example: Path) -> None:
    helm = find_helm(4) or find_helm(3)
    if helm is None:
        pytest.skip("no Helm here: put it on PATH")
    rendered = CliRunner().invoke(app, ["render", "-f", str(example), "--helm", helm.program])
    assert rendered.exit_code == 0, rendered.stderr
    check_golden(f"rendered/{example.stem}.yaml", without_programs(rendered.stdout))


def without_programs(manifests: str) -> str:
    """The fetcher's source is in the chart; a change of it is reviewed there."""
    without_hash = re.sub(r"(name: PROGRAM\n *value: ).*", r"\1...", manifests)
    return re.sub(r"^(  \w+\.py: )\|-?\n(?:    .*\n|\n)*", r"\1...\n", without_hash, flags=re.MULTILINE)
