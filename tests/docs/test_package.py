"""The package and the documentation name each other: addresses, distribution, scripts and pins."""

from __future__ import annotations

import re
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


def _pins(name: str) -> dict[str, tuple[str, ...]]:
    """By requirement, with its version and marker: the hashes."""
    entries = (ROOT / "requirements" / name).read_text().replace("\\\n", " ").splitlines()
    return {entry.partition(" --hash")[0].strip(): tuple(re.findall(r"--hash=(\S+)", entry)) for entry in entries}


def test_users_can_install_the_dependencies_that_the_tests_ran_with() -> None:
    runtime, development = _pins("runtime.txt"), _pins("development.txt")
    assert all(runtime.values())
    tested = {pin.partition(" ;")[0]: hashes for pin, hashes in development.items()}
    assert [pin for pin, hashes in runtime.items() if tested[pin.partition(" ;")[0]] != hashes] == []
    wanted = {re.split(r"[^\w-]", requirement)[0] for requirement in PROJECT["project"]["dependencies"]}
    assert wanted <= {pin.partition("==")[0] for pin in runtime}
