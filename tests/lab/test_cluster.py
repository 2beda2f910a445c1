"""The running lab, from one of its pods and from its network."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import components

pytestmark = pytest.mark.lab
POD = "lab-test-probe"
# Requests to the API server's Service, to Docker Hub's host, and to a host name and an address on the internet.
QUESTIONS = """
wget -q -O /dev/null http://kubernetes.default:443 2>&1 | grep -q '400 Bad Request' && echo service answers
wget -q -O /dev/null http://hub.lab.test:5000/v2/ 2>&1 | grep -q '401 Unauthorized' && echo hub answers
nslookup example.com | grep -q NXDOMAIN && echo internet has no names
wget -q -O /dev/null http://192.0.2.1/ 2>&1 | grep -q unreachable && echo internet is unreachable
"""


@pytest.fixture(scope="module")
def lab_info() -> dict[str, Any]:
    """The content of lab.json."""
    if "REGMIRROR_LAB" not in os.environ:
        pytest.skip(os.environ.get("REGMIRROR_LAB_MISSING", "not in the lab's network: use `python -m lab run`"))
    found: dict[str, Any] = json.loads(Path(os.environ["REGMIRROR_LAB"]).read_text())
    return found


def kubectl(*words: str) -> str:
    return subprocess.run(["kubectl", *words], capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def answers(lab_info: dict[str, Any]) -> Iterator[list[str]]:
    """The output of QUESTIONS in a pod with the shell image."""
    image = f"--image={lab_info['images']['shell']}"
    kubectl("run", POD, image, "--restart=Never", "--", "sh", "-c", QUESTIONS)
    kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", f"pod/{POD}", "--timeout=300s")
    yield kubectl("logs", POD).splitlines()
    kubectl("delete", "pod", POD, "--now")


@pytest.mark.parametrize(
    "answer", ["service answers", "hub answers", "internet has no names", "internet is unreachable"]
)
def test_a_pod_reaches_the_lab_and_nothing_else(answers: list[str], answer: str) -> None:
    assert answer in answers


def test_the_lab_network_has_no_route_to_the_internet(lab_info: dict[str, Any]) -> None:
    routes = subprocess.run(["ip", "route"], capture_output=True, text=True, check=True).stdout
    assert lab_info["address"] in routes
    assert "default" not in routes


def test_the_cluster_is_the_pinned_version(lab_info: dict[str, Any]) -> None:
    server = json.loads(kubectl("version", "-o", "json"))["serverVersion"]
    assert server["gitVersion"] == lab_info["cluster_version"] == components.KUBERNETES_VERSION


def test_both_helms_have_their_versions(lab_info: dict[str, Any]) -> None:
    if lab_info["helm3"] is None:
        pytest.skip("Helm 3 requires npm, which is not installed")
    for name in ("helm3", "helm4"):
        output = subprocess.run(
            [lab_info[name], "version", "--short"], capture_output=True, text=True, check=True
        ).stdout
        assert output.startswith(lab_info["versions"][name])
