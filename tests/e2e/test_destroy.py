"""A mirror is removed: nothing of it remains except the data in the bucket, which the next deployment uses."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import boto3
import pytest
import yaml

from tests.e2e.deployed_mirror import PROGRAMS, DeployedMirror
from tests.e2e.inject import faulty_hub
from tests.e2e.waiting import await_value
from tests.unit.terminal_session import Conversation, converse

pytestmark = pytest.mark.lab

KINDS = "deployments,replicasets,pods,services,configmaps,secrets,ingresses,leases,poddisruptionbudgets"
EXISTING = {"regmirror-tls", "kube-root-ca.crt"}


@pytest.fixture(scope="module")
def mirror(new_mirror: Callable[[], DeployedMirror]) -> DeployedMirror:
    """A mirror that has cached an image; the tests of this file run on it in order."""
    made = new_mirror()
    assert made.deploy().code == 0
    made.await_healthy()
    return made


def remaining(mirror: DeployedMirror) -> set[str]:
    return {found["metadata"]["name"] for found in mirror.objects(KINDS)}


def bucket_keys(mirror: DeployedMirror) -> list[Any]:
    """The keys of the objects in the bucket."""
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


def destroy_in_terminal(
    mirror: DeployedMirror, *answers: tuple[str, str], options: tuple[str, ...] = ()
) -> Conversation:
    command = ["-m", "regmirror", "destroy", *options]
    return converse(command, answers, mirror.directory, {**os.environ, **mirror.environment, "TERM": "dumb"})


def test_without_a_terminal_and_without_yes_it_lists_and_exits(mirror: DeployedMirror) -> None:
    outcome = mirror.regmirror("destroy")
    assert outcome.code == 2
    assert "  - Helm release regmirror-docker-hub, with its pods\n" in outcome.stdout
    assert f"  = the bucket {mirror.environment['S3_BUCKET']}, with all its data\n" in outcome.stdout
    kept = f"  = Namespace {mirror.namespace}: deploy did not create it, and it also contains "
    assert kept in outcome.stdout
    assert "cannot ask for the mirror's host name without a terminal: nothing was removed" in outcome.stderr
    assert mirror.regmirror("destroy", "--yes", "--purge-data").code == 2
    assert mirror.regmirror("destroy", "--dry-run").code == 0
    mirror.await_healthy()


def test_a_wrong_name_removes_nothing(mirror: DeployedMirror) -> None:
    conversation = destroy_in_terminal(mirror, ("Type the mirror's host name", "mirror"))
    assert conversation.code == 2
    assert "nothing was removed" in conversation.screen
    assert mirror.regmirror("diff").code == 0


def test_after_a_kill_the_next_run_continues_and_nothing_remains(mirror: DeployedMirror) -> None:
    words = [str(PROGRAMS / "regmirror"), "destroy", "--yes"]
    environment = {**os.environ, **mirror.environment}
    with subprocess.Popen(
        words, cwd=mirror.directory, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stderr is not None
        assert any("regmirror-ingress" in line for line in process.stderr)
        process.send_signal(signal.SIGKILL)
    assert {"regmirror-signing"} <= remaining(mirror)
    conversation = destroy_in_terminal(mirror, ("Type the mirror's host name", mirror.host))
    assert conversation.code == 0, conversation.screen
    assert remaining(mirror) == EXISTING
    assert bucket_keys(mirror)


def test_a_second_run_reports_that_there_is_nothing(mirror: DeployedMirror) -> None:
    outcome = mirror.regmirror("destroy", "-o", "json")
    assert (outcome.code, outcome.document["changed"], outcome.document["removed"]) == (0, False, [])
    assert f"Nothing of https://{mirror.host} is deployed" in outcome.stderr


def test_the_next_deployment_serves_cached_images(mirror: DeployedMirror) -> None:
    assert mirror.deploy().code == 0
    if not mirror.target.is_lab:
        pytest.skip("only the lab's Docker Hub can be stopped")
    with faulty_hub(mirror, down=True):
        await_value(mirror.failures, lambda failures: set(failures) == {"upstream-reachable"})


def test_purge_data_empties_the_bucket(mirror: DeployedMirror) -> None:
    bucket = mirror.environment["S3_BUCKET"]
    count = len(bucket_keys(mirror))
    wrong = mirror.regmirror("destroy", "--yes", "--purge-data", "--confirm-purge", "another")
    assert wrong.code == 2
    assert f"  - data: {count:,} objects (" in wrong.stdout
    assert f"under docker-hub/docker/registry/v2/ in the bucket {bucket}\n" in wrong.stdout
    outcome = mirror.regmirror("destroy", "--yes", "--purge-data", "--confirm-purge", bucket, "-o", "json")
    assert outcome.code == 0, outcome.stderr
    assert outcome.document["data"]["objects"] == count
    assert (remaining(mirror), bucket_keys(mirror)) == (EXISTING, [])
    again = mirror.regmirror("destroy", "--purge-data", "-o", "json")
    assert (again.code, again.document["changed"]) == (0, False)


def test_removes_a_namespace_that_deploy_created_and_keeps_one_with_other_objects(mirror: DeployedMirror) -> None:
    mirror.kubectl("delete", "namespace", mirror.namespace)
    content = yaml.safe_load(mirror.file.read_text())
    content["ingress"] = {**content["ingress"], "tlsSecret": None}
    mirror.file.write_text(yaml.safe_dump(content))
    assert mirror.deploy("--skip-verify").code == 0
    mirror.kubectl("create", "configmap", "theirs")
    held = mirror.regmirror("destroy", "--yes")
    assert held.code == 0
    assert f"  = Namespace {mirror.namespace}: it also contains ConfigMap theirs\n" in held.stdout
    assert remaining(mirror) == {"theirs", "kube-root-ca.crt"}
    mirror.kubectl("delete", "configmap", "theirs")
    outcome = mirror.regmirror("destroy", "--yes", "-o", "json")
    assert outcome.code == 0, outcome.stderr
    assert outcome.document["removed"] == [f"Namespace {mirror.namespace}"]
    found = json.loads(mirror.kubectl("get", "namespaces", "-o", "json"))["items"]
    assert mirror.namespace not in {one["metadata"]["name"] for one in found}
    nothing = mirror.regmirror("destroy")
    assert nothing.code == 0, nothing.stderr
