"""A deployment that is stopped midway: it says so, leaves no Helm behind, and the next one goes on from there."""

import signal
import subprocess
from collections.abc import Callable

import pytest

from tests.e2e.deployed_mirror import Deployment

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_stopped_deployment_goes_on(new_deployment: Callable[[], Deployment], number: signal.Signals) -> None:
    deployment = new_deployment()
    outcome = deployment.cut_short(number, "Secrets", "deploy")
    assert outcome.code == 130, outcome.words
    assert "run the command again: it continues where it stopped" in outcome.words
    assert "Secrets (6 created)" in outcome.words
    assert "Traceback" not in outcome.words
    assert children_of_helm(deployment) == []
    assert deployment.deploy().code == 0
    assert deployment.failures() == {}


def test_a_killed_deployment_goes_on(new_deployment: Callable[[], Deployment]) -> None:
    """SIGKILL leaves no time to tell Helm, which may leave its mark on a release."""
    deployment = new_deployment()
    assert deployment.cut_short(signal.SIGKILL, "Secrets", "deploy").code == -signal.SIGKILL
    again = deployment.deploy()
    assert again.code == 0, again.words
    assert deployment.failures() == {}


def children_of_helm(deployment: Deployment) -> list[str]:
    """The Helm processes that still work on the mirror's namespace."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in listed if "helm" in line and deployment.namespace in line]
