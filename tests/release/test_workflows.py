"""The workflows of the public forge: checked by two linters, pinned, and with no more permissions than they use."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from release.distributions import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def read(file: Path) -> dict[str, Any]:
    """A YAML file; YAML 1.1 reads the key `on` as True."""
    content: dict[str, Any] = yaml.safe_load(file.read_text())
    return content


def test_zizmor_finds_nothing() -> None:
    zizmor = Path(sys.executable).with_name("zizmor")
    if not zizmor.is_file():
        pytest.skip("zizmor is not installed: run `make .venv/ready`")
    command = [str(zizmor), "--offline", "--no-progress", "--persona=pedantic", str(GITHUB)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.lab
def test_actionlint_finds_nothing() -> None:
    actionlint = shutil.which("actionlint")
    if actionlint is None:
        pytest.skip("actionlint is not on PATH: the lab builds it")
    shellcheck = Path(sys.executable).with_name("shellcheck")
    command = [actionlint, f"-shellcheck={shellcheck}", *map(str, WORKFLOWS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.name)
def test_actions_are_pinned_to_commits_and_jobs_ask_for_their_permissions(workflow: Path) -> None:
    uses = re.findall(r"uses: (.*)$", workflow.read_text(), re.MULTILINE)
    assert [action for action in uses if not PINNED.fullmatch(action)] == []
    content = read(workflow)
    assert content["permissions"] == {}
    assert [
        name for name, job in content["jobs"].items() if "permissions" not in job or "timeout-minutes" not in job
    ] == []


def test_only_jobs_of_the_protected_environment_may_publish() -> None:
    for workflow in WORKFLOWS:
        for name, job in read(workflow)["jobs"].items():
            writes = [permission for permission, access in job["permissions"].items() if access == "write"]
            assert bool(writes) == (job.get("environment") == "release"), f"{workflow.name}: {name}"
            assert "secrets." not in str(job).replace("secrets.GITHUB_TOKEN", "")


def test_the_form_for_bugs_asks_for_the_support_bundle_and_the_version() -> None:
    fields = {field.get("id"): field for field in read(GITHUB / "ISSUE_TEMPLATE" / "bug.yml")["body"]}
    for name, command in (("bundle", "regmirror support-bundle"), ("version", "regmirror --version")):
        assert command in fields[name]["attributes"]["description"]
        assert fields[name]["validations"]["required"]
