"""A program that runs on the node while something is measured."""

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lab import http

STARTS_WITHIN = 10.0


@contextmanager
def running(words: Sequence[str], url: str, directory: Path) -> Iterator[int]:
    """Runs the program for the duration of the block; yields its process ID as soon as the URL answers 200."""
    environment = os.environ | {"OTEL_TRACES_EXPORTER": "none"}
    with (
        (directory / "log").open("wb") as log,
        subprocess.Popen(words, stdout=log, stderr=log, env=environment, cwd=directory) as process,
    ):
        try:
            _await(process, url, directory / "log")
            yield process.pid
        finally:
            process.terminate()


def cpu_seconds(process: int) -> float:
    """CPU seconds that a process has used, in user and kernel mode; see proc(5)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _await(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while not http.answers(url):
        time.sleep(0.1)
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} does not answer at {url}; see {log}")
