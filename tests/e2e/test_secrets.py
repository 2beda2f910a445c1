"""Secrets stay in Secrets: canary values are searched for everywhere else."""

import base64
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.e2e.deployed_mirror import Deployment

pytestmark = pytest.mark.lab

REDIS_CANARY = "canary-redis-5d1b0e7a"
HUB_CANARY = "canary-hub-9f3c2a46"


@pytest.fixture(scope="module")
def deployment(new_deployment: Callable[[], Deployment]) -> Deployment:
    """A mirror with canaries for passwords, deployed once; what its commands printed is kept beside its file."""
    made = new_deployment()
    made.environment.update(REDIS_PASSWORD=REDIS_CANARY, DOCKERHUB_USERNAME="canary", DOCKERHUB_ACCESS_TOKEN=HUB_CANARY)
    written = made.init()
    deployed = made.deploy("--debug", "-o", "json")
    assert deployed.code == 0, deployed.words
    outcomes = [written, deployed, made.verify("--debug"), made.regmirror("verify", "--debug"), made.deploy("--debug")]
    (made.directory / "printed").write_text("".join(outcome.output + outcome.words for outcome in outcomes))
    return made


@pytest.fixture(scope="module")
def canaries(deployment: Deployment) -> list[str]:
    """Every secret value of the mirror, those in the cluster's own Secret of the signing key included."""
    key = next(s for s in deployment.objects("secrets") if s["metadata"]["name"] == "regmirror-signing")
    middle = base64.b64decode(key["data"]["tls.key"]).splitlines()[5].decode()
    return [REDIS_CANARY, HUB_CANARY, deployment.environment["AWS_SECRET_ACCESS_KEY"], middle]


def test_not_in_what_the_commands_print(deployment: Deployment, canaries: list[str]) -> None:
    assert_absent(canaries, (deployment.directory / "printed").read_text())


def test_not_in_the_configuration_file(deployment: Deployment, canaries: list[str]) -> None:
    assert_absent(canaries, deployment.file.read_text())


def test_not_in_any_object_but_secrets(deployment: Deployment, canaries: list[str]) -> None:
    kinds = "configmaps,pods,deployments,replicasets,services,ingresses,events"
    text = deployment.kubectl("get", kinds, "-o", "yaml", "--show-managed-fields")
    assert_absent(canaries, text)


def test_not_in_the_metadata_of_secrets(deployment: Deployment, canaries: list[str]) -> None:
    assert_absent(canaries, json.dumps([secret["metadata"] for secret in deployment.objects("secrets")]))


def test_not_in_helms_releases(deployment: Deployment, canaries: list[str]) -> None:
    releases = deployment.objects("secrets", "--field-selector", "type=helm.sh/release.v1")
    assert len(releases) >= 4
    for release in releases:
        stored = base64.b64decode(base64.b64decode(release["data"]["release"]))
        assert_absent(canaries, gzip.decompress(stored).decode())


def test_not_in_the_logs_of_the_pods(deployment: Deployment, canaries: list[str]) -> None:
    for pod in deployment.objects("pods"):
        assert_absent(canaries, deployment.kubectl("logs", pod["metadata"]["name"], "--tail=-1"))


def test_not_on_any_command_line(deployment: Deployment, canaries: list[str], tmp_path: Path) -> None:
    """Helm is replaced by a script that writes its words and variables down before it becomes the real one."""
    recorded = tmp_path / "recorded"
    spy = tmp_path / "helm"
    spy.write_text(f'#!/bin/sh\necho "$@" >> {recorded}\nexec helm "$@"\n')
    spy.chmod(0o755)
    content = yaml.safe_load(deployment.file.read_text())
    content["redis"] = {**content["redis"], "maxMemory": "100mb"}
    deployment.file.write_text(yaml.safe_dump(content))
    assert deployment.deploy("--helm", str(spy)).code == 0
    assert "upgrade regmirror-redis" in recorded.read_text()
    assert_absent(canaries, recorded.read_text())


def assert_absent(canaries: list[str], text: str) -> None:
    assert text
    assert [canary[:12] for canary in canaries if canary in text] == []
