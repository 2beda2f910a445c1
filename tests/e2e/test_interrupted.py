"""An interrupted deployment reports that, leaves no Helm process, and the next one continues."""

import signal
import subprocess
from collections.abc import Callable

import pytest

from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.long_runs import only_in_long_runs

pytestmark = pytest.mark.lab


@pytest.mark.parametrize(
    "number",
    [pytest.param(signal.SIGINT, id="Ctrl-C"), pytest.param(signal.SIGTERM, id="SIGTERM", marks=only_in_long_runs)],
)
def test_the_next_deployment_continues_after_an_interrupt(
    new_mirror: Callable[[], DeployedMirror], number: signal.Signals
) -> None:
    mirror = new_mirror()
    outcome = mirror.interrupt(number, "Secrets", "deploy")
    assert outcome.code == 130, outcome.stderr
    assert "run the command again: it continues where it stopped" in outcome.stderr
    assert "Secrets (6 created)" in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert helm_processes(mirror) == []
    assert mirror.deploy().code == 0
    mirror.await_healthy()


@only_in_long_runs
def test_the_next_deployment_continues_after_a_kill(new_mirror: Callable[[], DeployedMirror]) -> None:
    """SIGKILL leaves no time to stop Helm, which may leave a release in a pending status."""
    mirror = new_mirror()
    assert mirror.interrupt(signal.SIGKILL, "Secrets", "deploy").code == -signal.SIGKILL
    again = mirror.deploy()
    assert again.code == 0, again.stderr
    mirror.await_healthy()


def helm_processes(mirror: DeployedMirror) -> list[str]:
    """The Helm processes that still run for the mirror's namespace."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line for line in listed if "helm" in line and mirror.namespace in line]
