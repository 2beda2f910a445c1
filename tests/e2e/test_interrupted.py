"""A deployment that is stopped midway: it says so, leaves no Helm behind, and the next one goes on from there."""

import os
import signal
import subprocess
from collections.abc import Callable

import pytest

from tests.e2e.deployment import PROGRAMS, Deployment

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_stopped_deployment_goes_on(new_deployment: Callable[[], Deployment], number: signal.Signals) -> None:
    deployment = new_deployment()
    code, words = stop_when(deployment, "Secrets", number)
    assert code == 130, words
    assert "the same command goes on from there" in words
    assert "Traceback" not in words
    assert children_of_helm(deployment) == []
    assert deployment.deploy().code == 0
    assert deployment.failures() == {}


def test_a_killed_deployment_goes_on(new_deployment: Callable[[], Deployment]) -> None:
    """SIGKILL leaves no time to tell Helm, which may leave a mark that only --unlock clears."""
    deployment = new_deployment()
    code, _ = stop_when(deployment, "Secrets", signal.SIGKILL)
    assert code == -signal.SIGKILL
    again = deployment.deploy()
    if again.code:
        assert "--unlock" in again.words
        again = deployment.deploy("--unlock")
    assert again.code == 0, again.words
    assert deployment.failures() == {}


def stop_when(deployment: Deployment, step: str, number: signal.Signals) -> tuple[int, str]:
    """Start a deployment and send it a signal as soon as it reports a step; gives its exit code and its words."""
    words = [str(PROGRAMS / "regmirror"), "deploy", *deployment.setting.resolve(deployment.host)]
    environment = os.environ | deployment.environment
    with subprocess.Popen(
        words, cwd=deployment.directory, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if step in line:
                process.send_signal(number)
                break
        said += process.stderr.read()
        return process.wait(timeout=60), said


def children_of_helm(deployment: Deployment) -> list[str]:
    """The Helm processes that still work on the mirror's namespace."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in listed if "helm" in line and deployment.namespace in line]
