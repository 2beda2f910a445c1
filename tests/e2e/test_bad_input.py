"""Each problem before a deployment starts is reported as one error, and nothing is created in the cluster."""

import json
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.target_cluster import TargetCluster
from tests.e2e.deployed_mirror import PROGRAMS, DeployedMirror, environment_of, run

pytestmark = pytest.mark.lab

ROOT = Path(__file__).parents[2]


@pytest.fixture
def untouched(target: TargetCluster, tmp_path: Path) -> Iterator[DeployedMirror]:
    """A configuration that was never deployed; after the test, its namespace must not exist."""
    namespace = f"e2e-{secrets.token_hex(4)}"
    mirror = DeployedMirror(target, namespace, tmp_path, environment_of(target, namespace))
    assert mirror.init().code == 0
    edit(mirror, lambda content: content["ingress"].update(tlsSecret=None))
    yield mirror
    listed = subprocess.run(
        ["kubectl", "--context", target.context, "get", "namespace", namespace, "--ignore-not-found", "-o", "name"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert listed.stdout == ""


def refused(mirror: DeployedMirror, code: int, *words: str, **environment: str) -> str:
    """The error message of deploy, which is on standard error and in the JSON document."""
    outcome = mirror.deploy("-o", "json", *words, **environment)
    assert outcome.code == code, outcome.stderr
    assert "Traceback" not in outcome.stderr
    message: str = outcome.document["error"]["message"]
    assert message.splitlines()[0] in outcome.stderr
    return message


def test_unreachable_cluster(untouched: DeployedMirror, tmp_path: Path) -> None:
    kubeconfig = kubeconfig_for(tmp_path, server="https://127.0.0.1:9", token="none")
    words = ("--kubeconfig", str(kubeconfig), "--context", "test")
    assert "no answer from the Kubernetes API https://127.0.0.1:9" in refused(untouched, 1, *words)


def test_broken_kubeconfig(untouched: DeployedMirror, tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text("{not yaml")
    assert "kubeconfig cannot be used" in refused(untouched, 2, "--kubeconfig", str(tmp_path / "kubeconfig"))


def test_unknown_context(untouched: DeployedMirror) -> None:
    assert "has no context nowhere" in refused(untouched, 2, "--context", "nowhere")


def test_no_permission(untouched: DeployedMirror, tmp_path: Path) -> None:
    """A ServiceAccount without a Role can check its own permissions; deploy reports all that are missing."""
    account = f"nobody-{untouched.namespace}"
    kubectl = ["kubectl", "--context", untouched.target.context, "-n", "default"]
    subprocess.run([*kubectl, "create", "serviceaccount", account], check=True, capture_output=True)
    try:
        made = subprocess.run([*kubectl, "create", "token", account], check=True, capture_output=True, text=True)
        shown = subprocess.run(
            [*kubectl, "config", "view", "--minify", "--raw", "-o", "json"], check=True, capture_output=True, text=True
        )
        cluster = json.loads(shown.stdout)["clusters"][0]["cluster"]
        kubeconfig = kubeconfig_for(tmp_path, token=made.stdout.strip(), **cluster)
        message = refused(untouched, 1, "--kubeconfig", str(kubeconfig), "--context", "test")
    finally:
        subprocess.run([*kubectl, "delete", "serviceaccount", account], check=True, capture_output=True)
    assert "may not" in message
    assert "create secrets" in message
    assert "create deployments.apps" in message


def test_missing_bucket(untouched: DeployedMirror) -> None:
    edit(untouched, lambda content: content["storage"].update(bucket="no-such-bucket", createBucket=False))
    assert "no-such-bucket" in refused(untouched, 1)


def test_missing_variable(untouched: DeployedMirror) -> None:
    del untouched.environment["AWS_SECRET_ACCESS_KEY"]
    message = refused(untouched, 2, AWS_ACCESS_KEY_ID="id")
    assert "the environment variable AWS_SECRET_ACCESS_KEY is not set" in message


def test_missing_helm(untouched: DeployedMirror) -> None:
    assert "cannot start Helm (no-such-helm)" in refused(untouched, 1, "--helm", "no-such-helm")


def test_old_helm(untouched: DeployedMirror, tmp_path: Path) -> None:
    old = tmp_path / "helm"
    old.write_text("#!/bin/sh\necho v3.16.4\n")
    old.chmod(0o755)
    assert "is Helm v3.16.4, but 3.17 or newer is required" in refused(untouched, 1, "--helm", str(old))


def test_unknown_ingress_class(untouched: DeployedMirror) -> None:
    edit(untouched, lambda content: content["ingress"].update(className="nowhere"))
    assert "the cluster has no IngressClass nowhere" in refused(untouched, 2)


def test_missing_certificate(untouched: DeployedMirror) -> None:
    edit(untouched, lambda content: content["ingress"].update(tlsSecret="no-such-secret"))
    assert f"namespace {untouched.namespace} has no Secret no-such-secret" in refused(untouched, 2)


def test_broken_chart(untouched: DeployedMirror, tmp_path: Path) -> None:
    """A copy of regmirror with a broken chart."""
    copy = tmp_path / "copy"
    for part in ("regmirror", "charts", "templates"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "charts/registry/templates/deployment.yaml").write_text("{{ if }}")
    python = [str(PROGRAMS / "python"), "-P", "-m", "regmirror"]
    environment = untouched.environment | {"PYTHONPATH": str(copy)}
    outcome = run([*python, "deploy", *untouched.target.resolve(untouched.host)], untouched.directory, environment)
    assert outcome.code == 1, outcome.stderr
    assert "cannot render a chart" in outcome.stderr
    assert "registry/templates/deployment.yaml" in outcome.stderr


def edit(mirror: DeployedMirror, change: Any) -> None:
    content = yaml.safe_load(mirror.file.read_text())
    change(content)
    mirror.file.write_text(yaml.safe_dump(content))


def kubeconfig_for(directory: Path, *, token: str, **cluster: Any) -> Path:
    """A kubeconfig with the context `test`."""
    path = directory / "kubeconfig"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "test", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "current-context": "test",
    }
    path.write_text(yaml.safe_dump(content))
    return path
