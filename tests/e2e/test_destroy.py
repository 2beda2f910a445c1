"""A real mirror is taken away: nothing of ours is left, the bucket keeps what it has, and deploying again finds it."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import boto3
import pytest
import yaml

from tests.e2e.deployed_mirror import PROGRAMS, Deployment
from tests.e2e.faults import HEALTHY_HUB
from tests.e2e.harm import hub
from tests.unit.terminal_session import Conversation, converse

pytestmark = pytest.mark.lab

KINDS = "deployments,replicasets,pods,services,configmaps,secrets,ingresses,leases,poddisruptionbudgets"
BROUGHT = {"regmirror-tls", "kube-root-ca.crt"}


@pytest.fixture(scope="module")
def deployment(new_deployment: Callable[[], Deployment]) -> Deployment:
    """A mirror that has cached an image; the tests of this file run in order on it."""
    made = new_deployment()
    assert made.deploy().code == 0
    assert made.failures() == {}
    return made


def left(mirror: Deployment) -> set[str]:
    return {found["metadata"]["name"] for found in mirror.objects(KINDS)}


def stored(mirror: Deployment) -> list[Any]:
    """The objects in the bucket."""
    environment = mirror.environment
    client = boto3.client(
        "s3",
        region_name=environment["S3_REGION"],
        endpoint_url=environment.get("S3_ENDPOINT"),
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=environment["S3_BUCKET"])
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


def at_a_terminal(mirror: Deployment, *answers: tuple[str, str], options: tuple[str, ...] = ()) -> Conversation:
    command = ["-m", "regmirror", "destroy", *options]
    return converse(command, answers, mirror.directory, {**os.environ, **mirror.environment, "TERM": "dumb"})


def test_without_a_terminal_and_a_yes_it_lists_and_refuses(deployment: Deployment) -> None:
    outcome = deployment.regmirror("destroy")
    assert outcome.code == 2
    assert "  - Helm release regmirror-docker-hub, with its pods\n" in outcome.output
    assert f"  = the bucket {deployment.environment['S3_BUCKET']}, with all its data\n" in outcome.output
    kept = f"  = Namespace {deployment.namespace}: deploy did not create it, and it also contains "
    assert kept in outcome.output
    assert "cannot ask for the mirror's host name without a terminal: nothing was removed" in outcome.words
    assert deployment.regmirror("destroy", "--yes", "--purge-data").code == 2
    assert deployment.regmirror("destroy", "--dry-run").code == 0
    assert deployment.failures() == {}


def test_another_name_than_the_hosts_removes_nothing(deployment: Deployment) -> None:
    said = at_a_terminal(deployment, ("Type the mirror's host name", "mirror"))
    assert said.code == 2
    assert "nothing was removed" in said.screen
    assert deployment.regmirror("diff").code == 0


def test_killed_midway_it_goes_on_and_nothing_of_ours_is_left(deployment: Deployment) -> None:
    words = [str(PROGRAMS / "regmirror"), "destroy", "--yes"]
    environment = {**os.environ, **deployment.environment}
    with subprocess.Popen(
        words, cwd=deployment.directory, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stderr is not None
        assert any("regmirror-ingress" in line for line in process.stderr)
        process.send_signal(signal.SIGKILL)
    assert {"regmirror-signing"} <= left(deployment)
    said = at_a_terminal(deployment, ("Type the mirror's host name", deployment.host))
    assert said.code == 0, said.screen
    assert left(deployment) == BROUGHT
    assert stored(deployment)


def test_a_second_run_says_that_there_is_nothing(deployment: Deployment) -> None:
    outcome = deployment.regmirror("destroy", "-o", "json")
    assert (outcome.code, outcome.document["changed"], outcome.document["removed"]) == (0, False, [])
    assert f"Nothing of https://{deployment.host} is deployed" in outcome.words


def test_deployed_again_it_serves_what_it_had_cached(deployment: Deployment) -> None:
    assert deployment.deploy().code == 0
    if not deployment.setting.is_lab:
        pytest.skip("only the lab's Docker Hub can be taken down")
    undo = hub("/faults", {"down": True}, HEALTHY_HUB)(deployment)
    try:
        assert set(deployment.failures()) == {"upstream-reachable"}
    finally:
        undo()


def test_with_its_data_the_bucket_is_left_empty(deployment: Deployment) -> None:
    bucket = deployment.environment["S3_BUCKET"]
    count = len(stored(deployment))
    wrong = deployment.regmirror("destroy", "--yes", "--purge-data", "--confirm-purge", "another")
    assert wrong.code == 2
    assert f"  - data: {count:,} objects (" in wrong.output
    assert f"under docker-hub/ in the bucket {bucket}\n" in wrong.output
    outcome = deployment.regmirror("destroy", "--yes", "--purge-data", "--confirm-purge", bucket, "-o", "json")
    assert outcome.code == 0, outcome.words
    assert outcome.document["data"]["objects"] == count
    assert (left(deployment), stored(deployment)) == (BROUGHT, [])
    again = deployment.regmirror("destroy", "--purge-data", "-o", "json")
    assert (again.code, again.document["changed"]) == (0, False)


def test_a_namespace_that_deploy_has_made_goes_and_one_with_anything_else_stays(deployment: Deployment) -> None:
    deployment.kubectl("delete", "namespace", deployment.namespace)
    content = yaml.safe_load(deployment.file.read_text())
    content["ingress"] = {**content["ingress"], "tlsSecret": None}
    deployment.file.write_text(yaml.safe_dump(content))
    assert deployment.deploy("--skip-proof").code == 0
    deployment.kubectl("create", "configmap", "theirs")
    held = deployment.regmirror("destroy", "--yes")
    assert held.code == 0
    assert f"  = Namespace {deployment.namespace}: it also contains ConfigMap theirs\n" in held.output
    assert left(deployment) == {"theirs", "kube-root-ca.crt"}
    deployment.kubectl("delete", "configmap", "theirs")
    outcome = deployment.regmirror("destroy", "--yes", "-o", "json")
    assert outcome.code == 0, outcome.words
    assert outcome.document["removed"] == [f"Namespace {deployment.namespace}"]
    found = json.loads(deployment.kubectl("get", "namespaces", "-o", "json"))["items"]
    assert deployment.namespace not in {one["metadata"]["name"] for one in found}
    nothing = deployment.regmirror("destroy")
    assert nothing.code == 0, nothing.words
