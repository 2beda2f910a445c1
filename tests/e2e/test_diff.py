"""The report of diff on a real cluster: before and after a deployment, after edits of the file and of the cluster."""

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.e2e.deployed_mirror import DeployedMirror

pytestmark = pytest.mark.lab

CANARY = "canary-diff-8c1f0d"


@pytest.fixture(scope="module")
def mirror(new_mirror: Callable[[], DeployedMirror]) -> DeployedMirror:
    """A mirror that a test deploys; the tests of this file run on it in order."""
    made = new_mirror()
    made.environment.update(DOCKERHUB_USERNAME="canary", DOCKERHUB_ACCESS_TOKEN=CANARY)
    assert made.init().code == 0
    return made


def diff(mirror: DeployedMirror, code: int) -> dict[str, Any]:
    outcome = mirror.regmirror("diff", "-o", "json")
    assert outcome.code == code, outcome.stderr + outcome.stdout
    report: dict[str, Any] = outcome.document
    return report


def fields(report: dict[str, Any], cause: str) -> set[str]:
    """The fields that differ because of a cause, each with its object's kind."""
    return {
        f"{found['kind']} {field['path']}"
        for found in report["objects"]
        for field in found["fields"]
        if field["cause"] == cause
    }


def test_before_the_first_deployment_everything_will_be_created(mirror: DeployedMirror) -> None:
    planned = mirror.deploy("--dry-run", "-o", "json")
    assert planned.code == 1, planned.stderr
    assert planned.document["objects"] == diff(mirror, 1)["objects"]
    assert {found["action"] for found in planned.document["objects"]} == {"create"}
    assert "Ingress" in {found["kind"] for found in planned.document["objects"]}
    assert mirror.objects("deployments") == []


def test_after_the_deployment_nothing_differs(mirror: DeployedMirror) -> None:
    assert mirror.deploy().code == 0
    report = diff(mirror, 0)
    assert (report["differs"], report["objects"], report["foreignFields"]) == (False, [], [])
    assert mirror.deploy("--dry-run").code == 0


def test_a_change_of_the_file_is_shown_field_by_field_and_secrets_by_name(mirror: DeployedMirror) -> None:
    mirror.change_file(auth={"replicas": 2}, registry={"ttl": "24h"}, ingress={"annotations": {"a.b/c": "d"}})
    report = diff(mirror, 1)
    assert fields(report, "drift") == set()
    assert fields(report, "file") == {
        "Deployment spec.replicas",
        "Secret data[config.yml].proxy.ttl",
        "Ingress metadata.annotations[a.b/c]",
    }
    assert ("create", "PodDisruptionBudget") in {(found["action"], found["kind"]) for found in report["objects"]}
    assert mirror.deploy().code == 0
    assert diff(mirror, 0)["objects"] == []
    mirror.change_file(auth={"replicas": 1}, ingress={"annotations": {}})
    report = diff(mirror, 1)
    assert fields(report, "file") == {"Deployment spec.replicas", "Ingress metadata.annotations[a.b/c]"}
    assert ("remove", "PodDisruptionBudget") in {(found["action"], found["kind"]) for found in report["objects"]}
    assert mirror.deploy().code == 0
    assert diff(mirror, 0)["objects"] == []


def test_an_edit_of_the_cluster_is_drift_and_added_fields_are_kept(mirror: DeployedMirror) -> None:
    encoded = base64.b64encode(f"{CANARY}: {CANARY}".encode()).decode()
    patch = json.dumps({"data": {"auth_config.yml": encoded, "more": encoded}})
    mirror.kubectl("patch", "secret", "regmirror-auth-config", "-p", patch)
    mirror.kubectl("set", "image", "deployment/regmirror-redis", "redis=example.invalid/none:1")
    mirror.kubectl("set", "env", "deployment/regmirror-auth", "--containers=auth", f"FOO={CANARY}")
    mirror.kubectl("delete", "service", "regmirror-redis")
    mirror.change_file(registry={"ttl": "48h"})
    report = diff(mirror, 1)
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
def test_no_format_shows_a_secret(mirror: DeployedMirror, form: str) -> None:
    """After the edits above: searches for every Secret value, including that of the edit, plain and in Base64."""
    changed = {"DOCKERHUB_ACCESS_TOKEN": f"{CANARY}-new"}
    outcome = mirror.regmirror("diff", "-o", form, "--debug", **changed)
    assert outcome.code == 1, outcome.stderr
    assert "regmirror-docker-hub-credential" in outcome.stdout
    shown = outcome.stdout + outcome.stderr
    values = [CANARY, mirror.environment["AWS_SECRET_ACCESS_KEY"]]
    assert [value[:12] for value in values if value in shown] == []
    for secret in mirror.objects("secrets"):
        for key, value in secret["data"].items():
            assert value not in shown, f"{key} of {secret['metadata']['name']}"


def test_a_deployment_reverts_the_drift_and_keeps_added_fields(mirror: DeployedMirror) -> None:
    assert mirror.deploy().code == 0
    report = diff(mirror, 0)
    assert (report["objects"], len(report["foreignFields"])) == ([], 2)
    assert "added by kubectl-set, kept" in mirror.regmirror("diff").stdout


def test_an_upstream_removed_from_the_file_is_kept_until_it_is_pruned(mirror: DeployedMirror) -> None:
    content = yaml.safe_load(mirror.file.read_text())
    second = {**content["upstreams"][0], "name": "second", "host": f"second-{mirror.host}"}
    (second.pop("credentials"), second.pop("probeImage", None))
    certificate = json.loads(mirror.kubectl("get", "secret", "regmirror-tls", "-o", "json"))
    certificate["metadata"] = {"name": "regmirror-tls-second"}
    mirror.kubectl("create", "-f", "-", stdin=json.dumps(certificate))
    mirror.change_file(upstreams=[*content["upstreams"], second])
    assert mirror.deploy("--skip-verify").code == 0
    mirror.file.write_text(yaml.safe_dump(content))
    removed = {f["name"] for f in diff(mirror, 1)["objects"] if f["action"] == "remove"}
    assert {"regmirror-second", "regmirror-second-config", "regmirror-second-credential"} <= removed
    without = mirror.deploy()
    assert re.search(r"regmirror deploy .*--prune", without.stderr)
    assert mirror.deploy("--dry-run").code == 0
    pruned = mirror.deploy("--prune", "-o", "json")
    assert pruned.code == 0, pruned.stderr
    assert [step["name"] for step in pruned.document["steps"] if step["changed"]] == ["prune"]
    assert diff(mirror, 0)["objects"] == []
    kinds = "deployments,services,configmaps,pods,secrets,ingresses"
    left = [found["metadata"]["name"] for found in mirror.objects(kinds)]
    assert [name for name in left if "second" in name] == ["regmirror-tls-second"]


def test_exits_with_3_on_errors_and_with_2_on_wrong_usage(mirror: DeployedMirror) -> None:
    assert mirror.regmirror("diff", "-f", "absent.yaml").code == 2
    assert mirror.regmirror("diff", "--context", "absent").code == 2
    assert mirror.regmirror("diff", DOCKERHUB_ACCESS_TOKEN="").code == 2
    assert mirror.regmirror("diff", "--helm", "/absent/helm").code == 3
    assert mirror.regmirror("diff", AWS_SECRET_ACCESS_KEY="wrong").code == 3
