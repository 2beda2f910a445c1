"""Starts docker_auth or the stand-in, and sends requests to it."""

import http.client
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

START_TIMEOUT = 300.0
Headers = Mapping[str, str] | Sequence[tuple[str, str]]
"""Pairs if several headers have one name."""
STAND_IN = "stand-in"
DOCKER_AUTH = "docker_auth"


@dataclass(frozen=True)
class Program:
    name: str
    binary: Path

    def command(self, configuration: Path) -> list[str]:
        return [str(self.binary), "--v=2", "--logtostderr", "--alsologtostderr", str(configuration)]


class Log:
    """The standard error of a running program, read continuously so that the program never blocks."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._lines: list[str] = []
        self._ended = False
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, args=(process,))
        self._reader.start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            with self._news:
                self._lines.append(line)
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def await_text(self, text: str, times: int = 1) -> None:
        """Wait until a text is logged ``times`` times; raises AssertionError with the log if that does not happen."""

        def seen() -> bool:
            return sum(text in line for line in self._lines) >= times

        with self._news:
            self._news.wait_for(lambda: seen() or self._ended, START_TIMEOUT)
            assert seen(), f"{text!r} was not logged {times} times:\n{''.join(self._lines)}"

    def join(self) -> None:
        self._reader.join(START_TIMEOUT)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass(frozen=True)
class Server:
    """A running program. ``certificate`` is its server certificate, None for plain HTTP."""

    program: Program
    process: subprocess.Popen[str]
    log: Log
    port: int
    certificate: str | None

    def ask(self, target: str, method: str = "GET", headers: Headers = (), body: str | None = None) -> Answer:
        """Send one request. http.client sends the target unchanged, even if it is malformed."""
        content = None if body is None else body.encode()
        with closing(self._connection()) as connection:
            connection.putrequest(method, target)
            for name, value in headers.items() if isinstance(headers, Mapping) else headers:
                connection.putheader(name, value)
            if content is not None or method == "POST":
                connection.putheader("Content-Length", str(len(content or b"")))
            connection.endheaders(content)
            with connection.getresponse() as response:
                return Answer(response.status, response.headers, response.read())

    def _connection(self) -> http.client.HTTPConnection:
        if self.certificate is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_TIMEOUT)
        context = ssl.create_default_context(cafile=self.certificate)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=START_TIMEOUT, context=context)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def write_configuration(file: Path, configuration: Mapping[str, Any], port: int) -> None:
    """Write a docker_auth configuration file with a port on the loopback interface."""
    server = {"addr": f"127.0.0.1:{port}", **configuration.get("server", {})}
    file.write_text(yaml.safe_dump({**configuration, "server": server}))


def await_watch(process: subprocess.Popen[str]) -> None:
    """Wait until docker_auth watches its configuration file, shortly after it logs that it is serving.

    Then it also handles signals. The stand-in logs that it is serving when it does both.
    """
    deadline = time.monotonic() + START_TIMEOUT
    while not has_inotify_watch(process.pid):
        assert time.monotonic() < deadline, "docker_auth does not watch its configuration file"


def has_inotify_watch(pid: int) -> bool:
    for descriptor in Path(f"/proc/{pid}/fdinfo").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            if "inotify wd:" in descriptor.read_text():
                return True
    return False


@contextmanager
def running(program: Program, configuration: Mapping[str, Any], file: Path) -> Iterator[Server]:
    """Run a program on a free loopback port for the duration of the block."""
    port = free_port()
    write_configuration(file, configuration, port)
    certificate = configuration.get("server", {}).get("certificate")
    with subprocess.Popen(program.command(file), stderr=subprocess.PIPE, text=True) as process:
        log = Log(process)
        try:
            log.await_text("Serving on")
            if program.name == DOCKER_AUTH:
                await_watch(process)
            yield Server(program, process, log, port, certificate)
        finally:
            process.terminate()
            process.wait(START_TIMEOUT)
            log.join()
