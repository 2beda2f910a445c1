"""The shell scripts of the charts, the lab and the benchmark."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(path for top in ("charts", "lab", "bench") for path in (ROOT / top).rglob("*.sh"))
CHART_FILES = ROOT / "charts" / "registry" / "files"


def shellcheck(*arguments: str | Path, script: str = "") -> str:
    """What shellcheck reports about files, or about ``script``."""
    program = Path(sys.executable).with_name("shellcheck")
    return subprocess.run([program, *arguments], input=script, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: str(script.relative_to(ROOT)))
def test_shellcheck_reports_nothing(script: Path) -> None:
    assert shellcheck(script) == ""


@pytest.mark.parametrize("name", ["run-registry.sh", "run-front.sh"])
def test_shellcheck_reports_nothing_about_a_container_command(name: str) -> None:
    command = (CHART_FILES / "sockets.sh").read_text() + (CHART_FILES / name).read_text()
    assert shellcheck("-", script=command) == ""


def test_wait_until_closed_returns_when_the_port_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        script = f"{(CHART_FILES / 'sockets.sh').read_text()}\necho waiting\nwait_until_closed {port}\necho closed\n"
        with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True) as shell:
            assert shell.stdout is not None
            assert shell.stdout.readline() == "waiting\n"
            with pytest.raises(subprocess.TimeoutExpired):
                shell.wait(timeout=2)
            listener.close()
            assert shell.stdout.read() == "closed\n"


def test_wait_until_sent_returns_when_all_data_is_delivered() -> None:
    """A socket that its process has closed, with data that its peer has not read yet, is still sending."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        script = f"{(CHART_FILES / 'sockets.sh').read_text()}\necho waiting\nwait_until_sent {port}\necho sent\n"
        with socket.create_connection(("127.0.0.1", port)) as client:
            server, _ = listener.accept()
            server.setblocking(False)
            while True:
                try:
                    server.send(bytes(1 << 16))
                except BlockingIOError:
                    break
            server.close()
            with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True) as shell:
                assert shell.stdout is not None
                assert shell.stdout.readline() == "waiting\n"
                with pytest.raises(subprocess.TimeoutExpired):
                    shell.wait(timeout=2)
                while client.recv(1 << 16):
                    pass
                client.close()
                assert shell.stdout.read() == "sent\n"
