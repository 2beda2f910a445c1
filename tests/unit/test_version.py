"""The forms of a version."""

from __future__ import annotations

import pytest

from regmirror.version import chart_version, documentation_version, is_development, release_of, version_of_chart


@pytest.mark.parametrize(
    ("version", "chart", "documentation", "release"),
    [("0.2.0", "0.2.0", "0.2.0", "0.2.0"), ("0.10.2.dev3", "0.10.2-dev.3", "latest", "0.10.2")],
)
def test_a_version_has_three_forms(version: str, chart: str, documentation: str, release: str) -> None:
    assert (chart_version(version), documentation_version(version)) == (chart, documentation)
    assert version_of_chart(chart) == version
    assert release_of(version) == release
    assert is_development(version) is (version != release)
