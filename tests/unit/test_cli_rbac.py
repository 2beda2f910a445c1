"""``regmirror rbac`` prints Roles as YAML or JSON that say where they belong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from regmirror.cli.app import app
from regmirror.deploy.diff import diff_mirror
from regmirror.deploy.preflight import preflight_steps
from regmirror.destroy.run import plan_removal
from regmirror.errors import PermissionDeniedError
from regmirror.ports.cluster import Right
from regmirror.rotate.options import RotationOptions
from regmirror.rotate.run import Rotation
from regmirror.steps.step import Done
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.fakes.connections import FakeConnections
from tests.fakes.helm import FakeHelm


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


def denied(work: Callable[[FakeConnections], Coroutine[Any, Any, Any]]) -> str | None:
    """The hint of a command whose user may do nothing."""
    cluster = FakeCluster()
    cluster.denied = {Right(verb, "", "secrets") for verb in ("get", "list", "create", "patch", "delete")}
    with pytest.raises(PermissionDeniedError) as caught:
        asyncio.run(work(FakeConnections(samples.mirror(), cluster, FakeHelm(cluster))))
    return caught.value.hint


def test_a_missing_permission_names_the_role_of_the_command() -> None:
    hint = "use another --context, or ask an administrator to grant them: regmirror rbac"
    assert denied(diff_mirror) == f"{hint} diff"
    assert denied(lambda connections: plan_removal(connections, purge_data=False)) == f"{hint} destroy"
    assert denied(check_rights) == f"{hint} deploy"
    assert denied(rotate) == f"{hint} rotate-cert"


def rotate(connections: FakeConnections) -> Coroutine[Any, Any, Any]:
    unused: Any = None
    return Rotation(connections, unused, unused, timedelta(), RotationOptions(unused)).run()


async def check_rights(connections: FakeConnections) -> Done:
    (step,) = [step for step in preflight_steps(connections) if step.name == "rights"]
    return await step.check()
