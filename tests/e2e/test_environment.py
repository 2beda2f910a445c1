"""A deployment from a machine whose environment names other clusters, namespaces and stores."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.e2e.deployed_mirror import DeployedMirror

pytestmark = pytest.mark.lab

ELSEWHERE = "https://elsewhere.example.com"
HOSTILE = {
    "HELM_NAMESPACE": "kube-system",
    "HELM_KUBECONTEXT": "absent",
    "HELM_MAX_HISTORY": "1",
    "HELM_DEBUG": "true",
    "HELM_PLUGINS": "/absent",
    "AWS_ENDPOINT_URL": ELSEWHERE,
    "AWS_ENDPOINT_URL_S3": ELSEWHERE,
    "AWS_CA_BUNDLE": "/absent",
    "AWS_PROFILE": "absent",
    "AWS_REGION": "elsewhere-1",
    "AWS_USE_FIPS_ENDPOINT": "true",
}


def decoy(directory: Path, context: str) -> Path:
    """A kubeconfig with the name of the real context, of a server that does not exist."""
    entries = {
        "clusters": [{"name": context, "cluster": {"server": ELSEWHERE}}],
        "users": [{"name": context, "user": {"token": "decoy"}}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
    }
    path = directory / "decoy"
    path.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", "current-context": "", **entries}))
    return path


def test_the_environment_changes_neither_what_is_deployed_nor_where(
    new_mirror: Callable[[], DeployedMirror], tmp_path: Path
) -> None:
    mirror = new_mirror()
    files = [os.environ["KUBECONFIG"], str(decoy(tmp_path, mirror.target.context))]
    hostile = HOSTILE | {"KUBECONFIG": os.pathsep.join(files)}
    outcome = mirror.deploy(**hostile)
    assert outcome.code == 0, outcome.stderr
    for name in ("HELM_NAMESPACE", "AWS_ENDPOINT_URL_S3"):
        assert f"{name} is ignored: " in outcome.stderr
    assert mirror.regmirror("diff").code == 0
    refused = mirror.deploy(HELM_KUBEAPISERVER=ELSEWHERE)
    assert refused.code == 2
    assert "RM120" in refused.stderr
