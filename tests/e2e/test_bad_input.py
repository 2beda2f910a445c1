"""Each thing that can be wrong before a deployment starts is one clear error, and nothing is left in the cluster."""

import json
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.setting import Setting
from tests.e2e.deployed_mirror import PROGRAMS, Deployment, environment_of, run

pytestmark = pytest.mark.lab

ROOT = Path(__file__).parents[2]


@pytest.fixture
def untouched(setting: Setting, tmp_path: Path) -> Iterator[Deployment]:
    """A configuration that was never deployed; after the test its namespace must still not exist."""
    namespace = f"e2e-{secrets.token_hex(4)}"
    deployment = Deployment(setting, namespace, tmp_path, environment_of(setting, namespace))
    assert deployment.init().code == 0
    edit(deployment, lambda content: content["ingress"].update(tlsSecret=None))
    yield deployment
    listed = subprocess.run(
        ["kubectl", "--context", setting.context, "get", "namespace", namespace, "--ignore-not-found", "-o", "name"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert listed.stdout == ""


def refused(deployment: Deployment, code: int, *words: str, **environment: str) -> str:
    """The message with which deploy refuses; it is told to people and, with -o json, to programs."""
    outcome = deployment.deploy("-o", "json", *words, **environment)
    assert outcome.code == code, outcome.words
    assert "Traceback" not in outcome.words
    message: str = outcome.document["error"]["message"]
    assert message.splitlines()[0] in outcome.words
    return message


def test_unreachable_cluster(untouched: Deployment, tmp_path: Path) -> None:
    kubeconfig = kubeconfig_for(tmp_path, server="https://127.0.0.1:9", token="none")
    words = ("--kubeconfig", str(kubeconfig), "--context", "test")
    assert "no answer from the Kubernetes API https://127.0.0.1:9" in refused(untouched, 1, *words)


def test_broken_kubeconfig(untouched: Deployment, tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text("{not yaml")
    assert "kubeconfig cannot be used" in refused(untouched, 2, "--kubeconfig", str(tmp_path / "kubeconfig"))


def test_unknown_context(untouched: Deployment) -> None:
    assert "has no context nowhere" in refused(untouched, 2, "--context", "nowhere")


def test_no_permission(untouched: Deployment, tmp_path: Path) -> None:
    """A ServiceAccount without any Role may ask what it may do, and is told everything that it lacks."""
    account = f"nobody-{untouched.namespace}"
    kubectl = ["kubectl", "--context", untouched.setting.context, "-n", "default"]
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


def test_missing_bucket(untouched: Deployment) -> None:
    edit(untouched, lambda content: content["storage"].update(bucket="no-such-bucket", createBucket=False))
    assert "no-such-bucket" in refused(untouched, 1)


def test_missing_variable(untouched: Deployment) -> None:
    del untouched.environment["AWS_SECRET_ACCESS_KEY"]
    message = refused(untouched, 2, AWS_ACCESS_KEY_ID="id")
    assert "the environment variable AWS_SECRET_ACCESS_KEY is not set" in message


def test_missing_helm(untouched: Deployment) -> None:
    assert "cannot start Helm (no-such-helm)" in refused(untouched, 1, "--helm", "no-such-helm")


def test_old_helm(untouched: Deployment, tmp_path: Path) -> None:
    old = tmp_path / "helm"
    old.write_text("#!/bin/sh\necho v3.16.4\n")
    old.chmod(0o755)
    assert "is Helm v3.16.4, but 3.17 or newer is required" in refused(untouched, 1, "--helm", str(old))


def test_unknown_ingress_class(untouched: Deployment) -> None:
    edit(untouched, lambda content: content["ingress"].update(className="nowhere"))
    assert "the cluster has no IngressClass nowhere" in refused(untouched, 2)


def test_missing_certificate(untouched: Deployment) -> None:
    edit(untouched, lambda content: content["ingress"].update(tlsSecret="no-such-secret"))
    assert f"namespace {untouched.namespace} has no Secret no-such-secret" in refused(untouched, 2)


def test_broken_chart(untouched: Deployment, tmp_path: Path) -> None:
    """A copy of the program, of whose charts one file is damaged."""
    copy = tmp_path / "copy"
    for part in ("regmirror", "charts", "templates"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "charts/registry/templates/deployment.yaml").write_text("{{ if }}")
    python = [str(PROGRAMS / "python"), "-P", "-m", "regmirror"]
    environment = untouched.environment | {"PYTHONPATH": str(copy)}
    outcome = run([*python, "deploy", *untouched.setting.resolve(untouched.host)], untouched.directory, environment)
    assert outcome.code == 1, outcome.words
    assert "cannot render a chart" in outcome.words
    assert "registry/templates/deployment.yaml" in outcome.words


def edit(deployment: Deployment, change: Any) -> None:
    content = yaml.safe_load(deployment.file.read_text())
    change(content)
    deployment.file.write_text(yaml.safe_dump(content))


def kubeconfig_for(directory: Path, *, token: str, **cluster: Any) -> Path:
    """A kubeconfig with the one context `test`."""
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
