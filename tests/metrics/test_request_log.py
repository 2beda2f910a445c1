"""Every line is read once, and takes no memory afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from metrics.request_log import RequestLog


@pytest.fixture
def path() -> Iterator[Path]:
    """A file in memory, as in a pod."""
    file = Path(f"/dev/shm/regmirror-test-{os.getpid()}")
    file.write_bytes(b"")
    yield file
    file.unlink()


def append(path: Path, *lines: bytes) -> None:
    with path.open("ab", buffering=0) as file:
        file.write(b"".join(line + b"\n" for line in lines))


def read(log: RequestLog) -> list[bytes]:
    return list(chain.from_iterable(log.batches()))


def test_lines_are_read_once(path: Path) -> None:
    log = RequestLog(path)
    append(path, b"a", b"b")
    assert read(log) == [b"a", b"b"]
    assert read(log) == []
    append(path, b"c")
    assert read(log) == [b"c"]


def test_an_incomplete_line_is_read_when_it_is_complete(path: Path) -> None:
    log = RequestLog(path)
    with path.open("ab", buffering=0) as file:
        file.write(b"one\ntw")
        assert read(log) == [b"one"]
        file.write(b"o\n")
    assert read(log) == [b"two"]


def test_the_front_may_start_later(tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "requests.log")
    assert read(log) == []
    append(tmp_path / "requests.log", b"a")
    assert read(log) == [b"a"]


def test_what_was_read_takes_no_memory_and_is_not_read_by_the_next_process(path: Path) -> None:
    log = RequestLog(path)
    append(path, *[b"tag 200 1 HIT - 0 1234 "] * 100_000)
    assert len(read(log)) == 100_000
    assert path.stat().st_size > 2_000_000
    assert path.stat().st_blocks * 512 <= 4096
    append(path, b"last")
    assert read(RequestLog(path)) == [b"last"]
    assert read(RequestLog(path)) == []


def test_a_file_that_was_truncated_is_read_from_its_start(path: Path) -> None:
    log = RequestLog(path)
    append(path, b"a", b"b")
    assert len(read(log)) == 2
    os.truncate(path, 0)
    append(path, b"c")
    assert read(log) == [b"c"]


def test_a_file_system_without_holes_is_truncated(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metrics.request_log._fallocate", lambda *_: -1)
    log = RequestLog(path)
    append(path, *[b"0123456789"] * 200_000)
    assert len(read(log)) == 200_000
    assert path.stat().st_size == 0
    append(path, b"a")
    assert read(log) == [b"a"]


def test_no_line_is_lost_or_read_twice_while_another_process_writes(path: Path) -> None:
    program = """
import sys
with open(sys.argv[1], "ab", buffering=0) as file:
    for number in range(3000):
        file.write(b"%07d\\n" % number)
"""
    log, found = RequestLog(path), []
    writers = [subprocess.Popen([sys.executable, "-c", program, str(path)]) for _ in range(2)]
    while any(writer.poll() is None for writer in writers):
        found += read(log)
    found += read(log)
    assert sorted(found) == sorted([b"%07d" % number for number in range(3000)] * 2)
