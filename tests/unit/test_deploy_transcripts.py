"""What deploy and diff print, as a whole: real commands on a mirror in memory, 80 columns, no terminal."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from regmirror.cli.app import app
from regmirror.config.load import parse_mirror
from regmirror.deploy import public_check
from regmirror.deploy import release as release_step
from regmirror.ports.cluster import DEPLOYMENT, SECRET
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.golden import check_golden
from tests.unit.deploying import Place

IMAGE = "docker.io/library/registry:9.9.9"
PULL_ERROR = f'Back-off pulling image "{IMAGE}": not found'


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A mirror in memory that the commands are connected to, with one event loop step after the other."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(release_step, "_POLL", 0)
    monkeypatch.setattr(public_check, "_POLL", 0)
    place = Place()

    async def in_this_thread(call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        return call(*arguments, **options)

    def connections(file: Path, *_: Any, **__: Any) -> Any:
        return place.connected(parse_mirror(file.read_text(), "regmirror.yaml"))

    monkeypatch.setattr(asyncio, "to_thread", in_this_thread)
    monkeypatch.setattr("regmirror.cli.connections.CommandConnections", connections)
    write()
    return place


def write(**changes: Any) -> None:
    """Write the configuration file, with other values for some of its keys."""
    key = {"id": {"env": "S3_ID"}, "secret": {"env": "S3_SECRET"}}
    known: dict[str, Any] = {
        "auth": {"keySize": 2048},
        "storage": {**samples.MINIMAL["storage"], "accessKey": key},
        "ingress": {"className": "traefik", "tlsSecret": None},
    }
    Path("regmirror.yaml").write_text(yaml.safe_dump(samples.document(**{**known, **changes})))


def transcript(*commands: str) -> str:
    """The commands, their output (both streams), and their exit codes."""
    parts = []
    for command in commands:
        result = CliRunner().invoke(app, command.split()[1:])
        code = f"(exit code {result.exit_code})\n" if result.exit_code else ""
        parts.append(f"$ {command}\n{result.output}{code}")
    text = re.sub(r"\d+s without progress", "30s without progress", "\n".join(parts))
    return re.sub(r"\b\d{8}T\d{12}Z\b", "TIME", text)


def check(name: str, *commands: str) -> None:
    check_golden(f"transcripts/{name}.txt", transcript(*commands))


@pytest.mark.usefixtures("place")
def test_the_first_deployment() -> None:
    check("deploy-first", "regmirror deploy")


@pytest.mark.usefixtures("place")
def test_the_second_deployment() -> None:
    transcript("regmirror deploy")
    check("deploy-second", "regmirror deploy")


def test_a_deployment_whose_preflight_fails(place: Place) -> None:
    place.cluster = FakeCluster(exists=False)
    place.connections.blocking = place.cluster
    write(ingress={"issuer": {"name": "letsencrypt"}})
    check("deploy-preflight", "regmirror deploy")


def test_a_deployment_with_an_image_that_does_not_exist(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    transcript("regmirror deploy")
    write(registry={"image": IMAGE, "replicas": 1})
    name = "regmirror-docker-hub"
    labels = {"app.kubernetes.io/instance": name}
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": PULL_ERROR}}
    place.cluster.put(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"{name}-6c9f7d5b8-x2x4q", "labels": labels},
            "spec": {"containers": [{"name": "registry"}]},
            "status": {"containerStatuses": [{"name": "registry", "ready": False, "state": waiting}]},
        }
    )
    counts = {"replicas": 2, "updatedReplicas": 1, "availableReplicas": 1}
    place.cluster.rollouts[name] = [{"observedGeneration": 2, **counts}]
    monkeypatch.setattr("regmirror.cli.connections.read_timeout", lambda _: timedelta(seconds=3))
    check("deploy-missing-image", "regmirror deploy")


@pytest.mark.usefixtures("place")
def test_deployments_that_show_or_skip_something() -> None:
    check("deploy-dry-run", "regmirror deploy --dry-run")
    check("deploy-skip-verify", "regmirror deploy --skip-verify")


def test_a_diff_with_changes_drift_and_orphans(place: Place) -> None:
    write(upstreams=samples.TWO_UPSTREAMS)
    transcript("regmirror deploy")
    drift(place)
    upstream = {**samples.MINIMAL["upstreams"][0], "anonymousPull": ["library/*", "acme/other"]}
    write(registry={"ttl": "24h"}, upstreams=[upstream])
    check("diff", "regmirror diff", "regmirror deploy --dry-run")


@pytest.mark.usefixtures("place")
def test_a_change_that_interrupts_pulls() -> None:
    transcript("regmirror deploy")
    write(auth={"keySize": 2048, "issuer": "another"})
    check("deploy-interruption", "regmirror diff", "regmirror deploy")


@pytest.mark.usefixtures("place")
def test_a_diff_in_which_only_orphans_are_left() -> None:
    write(upstreams=samples.TWO_UPSTREAMS)
    transcript("regmirror deploy")
    write()
    check("diff-orphans", "regmirror deploy", "regmirror diff", "regmirror deploy --prune", "regmirror diff")


@pytest.mark.usefixtures("place")
def test_the_last_line_of_a_diff_can_be_pasted() -> None:
    write(upstreams=samples.TWO_UPSTREAMS)
    transcript("regmirror deploy")
    write()
    Path("regmirror.yaml").rename("other.yaml")
    text = transcript("regmirror diff -f other.yaml -n regmirror --context fake")
    (last,) = re.findall(r"^Next: regmirror (.*)$", text, re.MULTILINE)
    assert set(last.split()) == {"deploy", "--prune", "-f", "other.yaml", "-n", "regmirror", "--context", "fake"}


def test_the_documents_of_deploy_and_diff(place: Place) -> None:
    deployed = CliRunner().invoke(app, ["deploy", "-o", "yaml"])
    check_golden("documents/DeployReport.yaml", deployed.stdout)
    drift(place)
    write(registry={"ttl": "24h"}, ingress={"className": "traefik"})
    differing = CliRunner().invoke(app, ["diff", "-o", "yaml"])
    check_golden("documents/DiffReport.yaml", differing.stdout)


def drift(place: Place) -> None:
    """Someone scales a Deployment, adds a label to it, and deletes a Secret."""
    live = place.cluster.get(DEPLOYMENT, "regmirror-auth") or {}
    live["spec"]["replicas"] = 3
    live["metadata"]["labels"]["team"] = "blue"
    fields = {"f:spec": {"f:replicas": {}}, "f:metadata": {"f:labels": {"f:team": {}}}}
    live["metadata"]["managedFields"] = [{"manager": "kubectl-edit", "fieldsV1": fields}]
    place.cluster.put(live)
    place.cluster.delete(SECRET, "regmirror-bundle")
