"""The package and the documentation name each other: addresses, distribution, scripts and pins."""

from __future__ import annotations

import tomllib
from typing import Any

from regmirror import __version__
from regmirror.errors.documentation import DOCUMENTATION_URL
from tests.docs.markdown import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_address_of_the_documentation_is_the_same_everywhere() -> None:
    site = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]
    assert PROJECT["project"]["urls"]["Documentation"] == DOCUMENTATION_URL
    assert PROJECT["project"]["urls"]["Changelog"] == f"{DOCUMENTATION_URL}/reference/changes/"
    assert site["site_url"] == f"{DOCUMENTATION_URL}/"


def test_the_distribution_is_not_the_other_regmirror_of_the_package_index() -> None:
    assert PROJECT["project"]["name"] == "regmirror-kube"
    assert PROJECT["project"]["version"] == __version__


def test_kubectl_finds_regmirror_as_a_plugin() -> None:
    scripts = PROJECT["project"]["scripts"]
    assert scripts["kubectl-regmirror"] == scripts["regmirror"]


def test_the_documentation_tool_is_pinned_exactly_everywhere() -> None:
    (pin,) = PROJECT["dependency-groups"]["docs"]
    assert "==" in pin
    assert f"\n{pin} \\\n" in (ROOT / "requirements/development.txt").read_text()
