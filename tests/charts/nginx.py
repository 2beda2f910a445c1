"""Runs the nginx of this machine with a configuration of the charts."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest


@contextmanager
def running_nginx(configuration: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run nginx for the duration of the block; the test is skipped if there is none."""
    nginx = os.environ.get("LAB_NGINX") or shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        pytest.skip("nginx not found: set LAB_NGINX to its path, or add it to PATH")
    # Only root starts workers as another user, and they could not write to the directory of a test.
    command = [nginx, "-e", "stderr", "-c", str(configuration), "-g", "daemon off; user root;"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.terminate()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def await_listening(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    assert process.stderr is not None
    pytest.fail(process.stderr.read().decode())
