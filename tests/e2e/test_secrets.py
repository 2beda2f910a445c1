"""Secret values only occur in Secrets: searches for canary values everywhere else."""

import base64
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.e2e.deployed_mirror import DeployedMirror

pytestmark = pytest.mark.lab

REDIS_CANARY = "canary-redis-5d1b0e7a"
HUB_CANARY = "canary-hub-9f3c2a46"


@pytest.fixture(scope="module")
def mirror(new_mirror: Callable[[], DeployedMirror]) -> DeployedMirror:
    """A deployed mirror with canaries as passwords; the output of its commands is in a file of its directory."""
    made = new_mirror()
    made.environment.update(REDIS_PASSWORD=REDIS_CANARY, DOCKERHUB_USERNAME="canary", DOCKERHUB_ACCESS_TOKEN=HUB_CANARY)
    written = made.init()
    deployed = made.deploy("--debug", "-o", "json")
    assert deployed.code == 0, deployed.stderr
    outcomes = [written, deployed, made.verify("--debug"), made.regmirror("verify", "--debug"), made.deploy("--debug")]
    (made.directory / "printed").write_text("".join(outcome.stdout + outcome.stderr for outcome in outcomes))
    return made


@pytest.fixture(scope="module")
def canaries(mirror: DeployedMirror) -> list[str]:
    """Every secret value of the mirror, including the signing key in the cluster."""
    key = next(s for s in mirror.objects("secrets") if s["metadata"]["name"] == "regmirror-signing")
    middle = base64.b64decode(key["data"]["tls.key"]).splitlines()[5].decode()
    return [REDIS_CANARY, HUB_CANARY, mirror.environment["AWS_SECRET_ACCESS_KEY"], middle]


def test_not_in_the_output_of_commands(mirror: DeployedMirror, canaries: list[str]) -> None:
    assert_absent(canaries, (mirror.directory / "printed").read_text())


def test_not_in_the_configuration_file(mirror: DeployedMirror, canaries: list[str]) -> None:
    assert_absent(canaries, mirror.file.read_text())


def test_not_in_any_object_but_secrets(mirror: DeployedMirror, canaries: list[str]) -> None:
    kinds = "configmaps,pods,deployments,replicasets,services,ingresses,events"
    text = mirror.kubectl("get", kinds, "-o", "yaml", "--show-managed-fields")
    assert_absent(canaries, text)


def test_not_in_the_metadata_of_secrets(mirror: DeployedMirror, canaries: list[str]) -> None:
    assert_absent(canaries, json.dumps([secret["metadata"] for secret in mirror.objects("secrets")]))


def test_not_in_helms_releases(mirror: DeployedMirror, canaries: list[str]) -> None:
    releases = mirror.objects("secrets", "--field-selector", "type=helm.sh/release.v1")
    assert len(releases) >= 4
    for release in releases:
        stored = base64.b64decode(base64.b64decode(release["data"]["release"]))
        assert_absent(canaries, gzip.decompress(stored).decode())


def test_not_in_the_logs_of_the_pods(mirror: DeployedMirror, canaries: list[str]) -> None:
    for pod in mirror.objects("pods"):
        assert_absent(canaries, mirror.kubectl("logs", pod["metadata"]["name"], "--tail=-1"))


def test_not_on_any_command_line(mirror: DeployedMirror, canaries: list[str], tmp_path: Path) -> None:
    """A script in place of Helm records its arguments before it executes Helm."""
    recorded = tmp_path / "recorded"
    spy = tmp_path / "helm"
    spy.write_text(f'#!/bin/sh\necho "$@" >> {recorded}\nexec helm "$@"\n')
    spy.chmod(0o755)
    content = yaml.safe_load(mirror.file.read_text())
    content["redis"] = {**content["redis"], "maxMemory": "100mb"}
    mirror.file.write_text(yaml.safe_dump(content))
    assert mirror.deploy("--helm", str(spy)).code == 0
    assert "upgrade regmirror-redis" in recorded.read_text()
    assert_absent(canaries, recorded.read_text())


def assert_absent(canaries: list[str], text: str) -> None:
    assert text
    assert [canary[:12] for canary in canaries if canary in text] == []
