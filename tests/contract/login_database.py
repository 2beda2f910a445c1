"""A Redis with the configuration that the mirror's database of logins has."""

from __future__ import annotations

import shutil
import socket
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from regmirror.desired.sign_in_config import database_config

from .programs import free_port

PASSWORD = "database-password-canary"


@dataclass
class LoginDatabase:
    """Its data is in ``directory``, and survives its end."""

    directory: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Return when it listens."""
        command = [self.directory / "redis-server", self.directory / "redis.conf"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while self.process.poll() is None:
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
        pytest.fail("redis-server ended")

    def kill(self) -> None:
        """As a node that fails does."""
        assert self.process
        self.process.kill()
        self.process.wait()


def login_database(directory: Path) -> LoginDatabase:
    """One that has not started; skips the test without Redis."""
    program = shutil.which("redis-check-rdb")
    if program is None:
        pytest.skip("redis-check-rdb is missing: install the Debian package redis-tools")
    # The same program as the server, which it is under this name.
    (directory / "redis-server").symlink_to(program)
    port = free_port()
    settings = database_config(PASSWORD).replace("dir /data", f"dir {directory}")
    (directory / "redis.conf").write_text(f"{settings}\nport {port}\nbind 127.0.0.1\n")
    return LoginDatabase(directory, port)
