"""Where the lab cannot run it says why in one sentence, exits with 2, and lets a command run without it on request."""

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
        (sys, "platform", "darwin", "needs Linux"),
        (platform, "machine", lambda: "aarch64", "this is aarch64"),
        (os, "geteuid", lambda: 1000, "needs root"),
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
    said = capsys.readouterr().err
    assert sentence in said
    assert said.startswith("lab: ")
    assert said.count("\n") == 1


def test_an_unknown_instance_name_is_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGMIRROR_LAB_INSTANCE", "../etc")
    assert main(["status"]) == 2
    assert capsys.readouterr().err.startswith("lab: REGMIRROR_LAB_INSTANCE='../etc'")


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["run"], "give the command after two hyphens"),
        (["run", "--up", "--"], "give the command after two hyphens"),
        (["run", "--keep", "--", "true"], "go with --up"),
        (["run", "--if-possible", "--", "true"], "go with --up"),
    ],
)
def test_wrong_usage(command: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command) == 2
    assert sentence in capsys.readouterr().err


def without_powers(*words: str) -> subprocess.CompletedProcess[str]:
    """`python -m lab` as root in a container has it: without the capability to make namespaces."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can give up capabilities, and by setpriv")
    dropped = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"]
    command = [*dropped, sys.executable, "-m", "lab", *words]
    environment = traces.environment("labtest-powerless")
    return subprocess.run(command, cwd=traces.ROOT, env=environment, capture_output=True, text=True, check=False)


def test_root_without_powers_is_told_so() -> None:
    refused = without_powers("up")
    assert refused.returncode == 2
    assert "may not make namespaces" in refused.stderr


def test_a_command_can_go_on_without_the_lab_and_knows_why() -> None:
    done = without_powers("run", "--up", "--if-possible", "--", "sh", "-c", 'echo "$REGMIRROR_LAB_MISSING"; exit 7')
    assert done.returncode == 7
    assert "may not make namespaces" in done.stdout


def test_a_lab_that_is_not_up_cannot_be_entered() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gets so far")
    refused = traces.lab("labtest-never-up", "run", "--", "true")
    assert refused.returncode == 1
    assert "is not up" in refused.stderr
