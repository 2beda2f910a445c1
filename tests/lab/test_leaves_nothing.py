"""`down` removes everything of a lab, in any state. Each test has its own lab, alongside all others."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab import sandbox
from lab.errors import CannotRunHereError
from lab.instance import Instance
from lab.requirements import check_machine

from . import traces

pytestmark = pytest.mark.lab
SECONDS = 600


@pytest.fixture
def name() -> Iterator[str]:
    """The name of a lab that is not running; removes what a failed test leaves of it."""
    try:
        check_machine()
    except CannotRunHereError as error:
        pytest.skip(str(error))
    chosen = f"labtest-{os.getpid()}"
    yield chosen
    traces.lab(chosen, "down")


def instance(name: str) -> Instance:
    return Instance.from_environment(traces.environment(name))


def process_of(name: str, program: str) -> int:
    called = f"{instance(name).programs / program}\0".encode()
    processes = sandbox.daemons(instance(name))
    return next(number for number in processes if Path(f"/proc/{number}/cmdline").read_bytes().startswith(called))


def namespaces_are_made(name: str) -> bool:
    return sandbox.find(instance(name)) is not None


def daemons_are_started(name: str) -> bool:
    return (instance(name).logs / "kube-apiserver.log").exists()


def kubelet_is_started(name: str) -> bool:
    return (instance(name).state / "kubelet").exists()


@contextmanager
def up_until(name: str, moment: Callable[[str], bool]) -> Iterator[subprocess.Popen[bytes]]:
    """`up`, while it runs, from the given moment on."""
    command = [sys.executable, "-m", "lab", "up"]
    with subprocess.Popen(command, cwd=traces.ROOT, env=traces.environment(name), stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + SECONDS
        while not moment(name):
            assert process.poll() is None, "`up` ended before the given moment"
            assert time.monotonic() < deadline
            os.sched_yield()
        yield process


@pytest.mark.parametrize("moment", [namespaces_are_made, daemons_are_started, kubelet_is_started])
def test_down_after_up_was_killed(name: str, moment: Callable[[str], bool]) -> None:
    before = traces.of(name)
    with up_until(name, moment) as up:
        up.kill()
    assert not traces.of(name) <= before
    assert traces.lab(name, "down").returncode == 0
    assert traces.of(name) <= before
    assert traces.lab(name, "down").returncode == 0


def test_an_interrupted_up_cleans_up(name: str) -> None:
    before = traces.of(name)
    with up_until(name, daemons_are_started) as up:
        up.send_signal(signal.SIGINT)
    assert up.returncode == 130
    assert traces.of(name) - before == {f"file {instance(name).state}"}
    assert traces.lab(name, "down").returncode == 0
    assert traces.of(name) <= before


def test_up_down_keep_data_and_up_again_with_pods(name: str) -> None:
    """Pods run, the host sees nothing, `up` uses the data of `--keep-data`, and `down` removes everything."""
    before = traces.of(name)
    pod = ["kubectl", "run", "asleep", "--image=lab.regmirror.test/shell:1", "--", "sleep", "1000"]
    ready = ["kubectl", "wait", "--for=condition=Ready", "pod/asleep", "--timeout=300s"]
    made = traces.lab(name, "run", "--up", "--keep", "--", *pod)
    assert made.returncode == 0, made.stderr
    assert traces.lab(name, "run", "--", *ready).returncode == 0
    visible = {
        trace for trace in traces.of(name) - before if not trace.startswith(("process", "control group", "file"))
    }
    assert visible == set()

    assert traces.lab(name, "down", "--keep-data").returncode == 0
    assert traces.of(name) - before == {f"file {instance(name).state}"}
    assert traces.lab(name, "up").returncode == 0
    assert traces.lab(name, "run", "--", *ready).returncode == 0

    assert traces.lab(name, "down").returncode == 0
    assert traces.of(name) <= before


def test_down_stops_the_processes_of_run(name: str) -> None:
    before = traces.of(name)
    assert traces.lab(name, "up").returncode == 0
    guest = subprocess.Popen(
        [sys.executable, "-m", "lab", "run", "--", "sh", "-c", "echo in; exec sleep 1000"],
        cwd=traces.ROOT,
        env=traces.environment(name),
        stdout=subprocess.PIPE,
    )
    assert guest.stdout is not None
    assert guest.stdout.readline() == b"in\n"
    assert traces.lab(name, "down").returncode == 0
    assert guest.wait() == -signal.SIGTERM
    guest.stdout.close()
    assert traces.of(name) <= before


def test_run_up_stops_the_lab_that_it_started_and_exits_with_the_code_of_the_command(name: str) -> None:
    before = traces.of(name)
    seen = traces.lab(name, "run", "--up", "--", "sh", "-c", 'cat "$REGMIRROR_LAB"; exit 7')
    assert seen.returncode == 7, seen.stderr
    assert json.loads(seen.stdout)["instance"] == name
    assert traces.of(name) <= before


def test_status_reports_a_lost_process_and_up_restarts_the_lab(name: str) -> None:
    assert traces.lab(name, "up").returncode == 0
    os.kill(process_of(name, "etcd"), signal.SIGKILL)
    deadline = time.monotonic() + SECONDS
    while (found := json.loads(traces.lab(name, "status", "-o", "json").stdout))["state"] == "running":
        assert time.monotonic() < deadline
    assert found["state"] == "broken"
    assert [process for process, alive in found["processes"].items() if not alive] == ["etcd"]
    assert traces.lab(name, "up").returncode == 0
    assert json.loads(traces.lab(name, "status", "-o", "json").stdout)["state"] == "running"
