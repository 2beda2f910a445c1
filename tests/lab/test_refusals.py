"""Where the lab cannot run, it reports why in one message and exits with 2; on request, `run` continues without it."""

import os
import platform
import shutil
import subprocess
import sys

import pytest

from lab.command_line import main

from . import traces

COMMANDS = (["up"], ["build"], ["down"], ["status"], ["clean"], ["run", "--", "true"], ["run", "--up", "--", "true"])


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    ("module", "name", "value", "sentence"),
    [
        (sys, "platform", "darwin", "requires Linux"),
        (platform, "machine", lambda: "aarch64", "this is aarch64"),
        (os, "geteuid", lambda: 1000, "requires root"),
    ],
    ids=["platform", "processor", "user"],
)
def test_another_machine_or_user(
    command: list[str],
    module: object,
    name: str,
    value: object,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(module, name, value)
    assert main(command) == 2
    output = capsys.readouterr().err
    assert sentence in output
    assert output.startswith("lab: ")
    assert output.count("\n") == 1


def test_an_invalid_instance_name_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGMIRROR_LAB_INSTANCE", "../etc")
    assert main(["status"]) == 2
    assert capsys.readouterr().err.startswith("lab: REGMIRROR_LAB_INSTANCE='../etc'")


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["run"], "missing command after --"),
        (["run", "--up", "--"], "missing command after --"),
        (["run", "--keep", "--", "true"], "require --up"),
        (["run", "--if-possible", "--", "true"], "require --up"),
    ],
)
def test_wrong_usage(command: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command) == 2
    assert sentence in capsys.readouterr().err


def without_capability(*words: str) -> subprocess.CompletedProcess[str]:
    """Runs `python -m lab` as root without the capability to create namespaces, as in a container."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("requires root and setpriv")
    dropped = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"]
    command = [*dropped, sys.executable, "-m", "lab", *words]
    environment = traces.environment("labtest-powerless")
    return subprocess.run(command, cwd=traces.ROOT, env=environment, capture_output=True, text=True, check=False)


def test_root_without_the_capability_is_rejected() -> None:
    refused = without_capability("up")
    assert refused.returncode == 2
    assert "cannot create namespaces" in refused.stderr


def test_a_command_can_run_without_the_lab_and_knows_why() -> None:
    done = without_capability("run", "--up", "--if-possible", "--", "sh", "-c", 'echo "$REGMIRROR_LAB_MISSING"; exit 7')
    assert done.returncode == 7
    assert "cannot create namespaces" in done.stdout


def test_run_requires_a_running_lab() -> None:
    if os.geteuid() != 0:
        pytest.skip("requires root")
    refused = traces.lab("labtest-never-up", "run", "--", "true")
    assert refused.returncode == 1
    assert "is not running" in refused.stderr
