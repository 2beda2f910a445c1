"""``regmirror rbac`` prints Roles as YAML or JSON that say where they belong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from regmirror.cli.app import app
from tests import samples


@pytest.fixture(autouse=True)
def _configuration_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "regmirror.yaml").write_text(yaml.safe_dump(samples.document()))


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_roles_are_printed_as_json() -> None:
    role = json.loads(run("rbac", "verify", "-o", "json").stdout)
    assert role == yaml.safe_load(run("rbac", "verify").stdout)
    roles = json.loads(run("rbac", "-o", "json").stdout)
    assert (roles["kind"], roles["items"]) == ("List", list(yaml.safe_load_all(run("rbac").stdout)))


def test_a_role_says_that_it_belongs_to_the_configuration_file() -> None:
    result = run("rbac", "deploy")
    description = yaml.safe_load(result.stdout)["metadata"]["annotations"]["kubernetes.io/description"]
    assert "for the current configuration file" in description
    assert "run regmirror rbac deploy and apply the Role again" in description
    assert "update it: regmirror rbac deploy | kubectl apply -f -" in result.stderr
