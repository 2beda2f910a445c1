"""What diff tells of a real cluster: before and after a deployment, after edits of the file and of the cluster."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.e2e.deployed_mirror import Deployment

pytestmark = pytest.mark.lab

CANARY = "canary-diff-8c1f0d"


@pytest.fixture(scope="module")
def deployment(new_deployment: Callable[[], Deployment]) -> Deployment:
    """A mirror that a test deploys; the tests of this file run in order on it."""
    made = new_deployment()
    made.environment.update(DOCKERHUB_USERNAME="canary", DOCKERHUB_ACCESS_TOKEN=CANARY)
    assert made.init().code == 0
    return made


def diff(mirror: Deployment, code: int) -> dict[str, Any]:
    outcome = mirror.regmirror("diff", "-o", "json")
    assert outcome.code == code, outcome.words + outcome.output
    report: dict[str, Any] = outcome.document
    return report


def fields(report: dict[str, Any], cause: str) -> set[str]:
    """The fields that differ for a cause, each with its object's kind."""
    return {
        f"{found['kind']} {field['path']}"
        for found in report["objects"]
        for field in found["fields"]
        if field["cause"] == cause
    }


def test_before_the_first_deployment_everything_is_to_be_created(deployment: Deployment) -> None:
    planned = deployment.deploy("--dry-run", "-o", "json")
    assert planned.code == 1, planned.words
    assert planned.document["objects"] == diff(deployment, 1)["objects"]
    assert {found["action"] for found in planned.document["objects"]} == {"create"}
    assert "Ingress" in {found["kind"] for found in planned.document["objects"]}
    assert deployment.objects("deployments") == []


def test_after_the_deployment_nothing_differs(deployment: Deployment) -> None:
    assert deployment.deploy().code == 0
    report = diff(deployment, 0)
    assert (report["differs"], report["objects"], report["foreignFields"]) == (False, [], [])
    assert deployment.deploy("--dry-run").code == 0


def test_a_change_of_the_file_is_told_field_by_field_and_secrets_by_their_names(deployment: Deployment) -> None:
    deployment.change_file(auth={"replicas": 2}, registry={"ttl": "24h"}, ingress={"annotations": {"a.b/c": "d"}})
    report = diff(deployment, 1)
    assert fields(report, "drift") == set()
    assert fields(report, "file") == {
        "Deployment spec.replicas",
        "Secret data[config.yml].proxy.ttl",
        "Ingress metadata.annotations[a.b/c]",
    }
    assert ("create", "PodDisruptionBudget") in {(found["action"], found["kind"]) for found in report["objects"]}
    assert deployment.deploy().code == 0
    assert diff(deployment, 0)["objects"] == []
    deployment.change_file(auth={"replicas": 1}, ingress={"annotations": {}})
    report = diff(deployment, 1)
    assert fields(report, "file") == {"Deployment spec.replicas", "Ingress metadata.annotations[a.b/c]"}
    assert ("remove", "PodDisruptionBudget") in {(found["action"], found["kind"]) for found in report["objects"]}
    assert deployment.deploy().code == 0
    assert diff(deployment, 0)["objects"] == []


def test_an_edit_of_the_cluster_is_drift_and_what_was_added_stays(deployment: Deployment) -> None:
    encoded = base64.b64encode(f"{CANARY}: {CANARY}".encode()).decode()
    patch = json.dumps({"data": {"auth_config.yml": encoded, "more": encoded}})
    deployment.kubectl("patch", "secret", "regmirror-auth-config", "-p", patch)
    deployment.kubectl("set", "image", "deployment/regmirror-redis", "redis=example.invalid/none:1")
    deployment.kubectl("set", "env", "deployment/regmirror-auth", f"FOO={CANARY}")
    deployment.kubectl("delete", "service", "regmirror-redis")
    deployment.change_file(registry={"ttl": "48h"})
    report = diff(deployment, 1)
    drifted = fields(report, "drift")
    assert "Deployment spec.template.spec.containers[redis].image" in drifted
    assert "Secret data[auth_config.yml]" in drifted
    assert fields(report, "file") == {"Secret data[config.yml].proxy.ttl"}
    by_name = {(found["kind"], found["name"]): found for found in report["objects"]}
    assert by_name["Deployment", "regmirror-redis"]["changedBy"] == ["kubectl-set"]
    assert by_name["Service", "regmirror-redis"]["cause"] == "drift"
    assert {(kept["name"], kept["path"], kept["manager"]) for kept in report["foreignFields"]} == {
        ("regmirror-auth", "spec.template.spec.containers[auth].env[FOO]", "kubectl-set"),
        ("regmirror-auth-config", "data.more", "kubectl-patch"),
    }


@pytest.mark.parametrize("form", ["table", "json", "yaml"])
def test_no_secret_shows_in_any_form(deployment: Deployment, form: str) -> None:
    """After the edits above: every Secret value, that of the edit included, is searched for plain and in Base64."""
    changed = {"DOCKERHUB_ACCESS_TOKEN": f"{CANARY}-new"}
    outcome = deployment.regmirror("diff", "-o", form, "--debug", **changed)
    assert outcome.code == 1, outcome.words
    assert "regmirror-docker-hub-credential" in outcome.output
    shown = outcome.output + outcome.words
    values = [CANARY, deployment.environment["AWS_SECRET_ACCESS_KEY"]]
    assert [value[:12] for value in values if value in shown] == []
    for secret in deployment.objects("secrets"):
        for key, value in secret["data"].items():
            assert value not in shown, f"{key} of {secret['metadata']['name']}"


def test_a_deployment_takes_the_drift_back_and_leaves_what_was_added(deployment: Deployment) -> None:
    assert deployment.deploy().code == 0
    report = diff(deployment, 0)
    assert (report["objects"], len(report["foreignFields"])) == ([], 2)
    assert "added by kubectl-set, stays" in deployment.regmirror("diff").output


def test_an_upstream_that_left_the_file_stays_until_it_is_pruned(deployment: Deployment) -> None:
    content = yaml.safe_load(deployment.file.read_text())
    second = {**content["upstreams"][0], "name": "second", "host": f"second-{deployment.host}"}
    (second.pop("credentials"), second.pop("probeImage", None))
    certificate = json.loads(deployment.kubectl("get", "secret", "regmirror-tls", "-o", "json"))
    certificate["metadata"] = {"name": "regmirror-tls-second"}
    deployment.kubectl("create", "-f", "-", stdin=json.dumps(certificate))
    deployment.change_file(upstreams=[*content["upstreams"], second])
    assert deployment.deploy("--skip-proof").code == 0
    deployment.file.write_text(yaml.safe_dump(content))
    removed = {f["name"] for f in diff(deployment, 1)["objects"] if f["action"] == "remove"}
    assert {"regmirror-second", "regmirror-second-config", "regmirror-second-credential"} <= removed
    without = deployment.deploy()
    assert "regmirror deploy --prune" in without.words
    assert deployment.deploy("--dry-run").code == 0
    pruned = deployment.deploy("--prune", "-o", "json")
    assert pruned.code == 0, pruned.words
    assert [step["name"] for step in pruned.document["steps"] if step["changed"]] == ["prune"]
    assert diff(deployment, 0)["objects"] == []
    kinds = "deployments,services,configmaps,pods,secrets,ingresses"
    left = [found["metadata"]["name"] for found in deployment.objects(kinds)]
    assert [name for name in left if "second" in name] == ["regmirror-tls-second"]


def test_errors_leave_with_3_and_mistakes_with_2(deployment: Deployment) -> None:
    assert deployment.regmirror("diff", "-f", "absent.yaml").code == 2
    assert deployment.regmirror("diff", "--context", "absent").code == 2
    assert deployment.regmirror("diff", DOCKERHUB_ACCESS_TOKEN="").code == 2
    assert deployment.regmirror("diff", "--helm", "/absent/helm").code == 3
    assert deployment.regmirror("diff", AWS_SECRET_ACCESS_KEY="wrong").code == 3
