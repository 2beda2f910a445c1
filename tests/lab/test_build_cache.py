"""The build cache must never hold a half-built entry, nor take an old build for a new one."""

import threading
from pathlib import Path

import pytest

from lab import cache


def test_the_key_changes_with_the_content_the_name_of_a_file_and_the_facts(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module a\n")
    keys = [cache.content_key(tmp_path, ["go1"]), cache.content_key(tmp_path, ["go2"])]
    (tmp_path / "go.mod").write_text("module b\n")
    keys.append(cache.content_key(tmp_path, ["go1"]))
    (tmp_path / "go.mod").rename(tmp_path / "go.sum")
    keys.append(cache.content_key(tmp_path, ["go1"]))
    assert len(set(keys)) == len(keys)


def test_the_key_is_the_same_wherever_the_directory_lies(tmp_path: Path) -> None:
    for place in ("here", "there"):
        (tmp_path / place / "cmd").mkdir(parents=True)
        (tmp_path / place / "cmd" / "main.go").write_text("package main\n")
    assert cache.content_key(tmp_path / "here", []) == cache.content_key(tmp_path / "there", [])


def test_facts_cannot_run_into_each_other(tmp_path: Path) -> None:
    assert cache.content_key(tmp_path, ["ab", "c"]) != cache.content_key(tmp_path, ["a", "bc"])


def test_an_entry_is_made_once(tmp_path: Path) -> None:
    made = []

    def make(target: Path) -> None:
        made.append(target)
        (target / "tool").write_text("built")

    for _ in range(2):
        entry = cache.fill(tmp_path / "tool" / "key", make)
    assert len(made) == 1
    assert (entry / "tool").read_text() == "built"


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    def fail(target: Path) -> None:
        (target / "half").write_text("half")
        raise RuntimeError("the compiler stopped")

    with pytest.raises(RuntimeError):
        cache.fill(tmp_path / "tool" / "key", fail)
    assert list((tmp_path / "tool").iterdir()) == []


def test_a_killed_build_is_swept_away_and_finished_ones_stay(tmp_path: Path) -> None:
    (tmp_path / "tool" / ".unfinished-x").mkdir(parents=True)
    cache.fill(tmp_path / "tool" / "key", lambda target: (target / "tool").touch())
    cache.sweep(tmp_path)
    assert [path.name for path in (tmp_path / "tool").iterdir()] == ["key"]


def test_the_second_builder_waits_for_the_first(tmp_path: Path) -> None:
    order: list[str] = []
    inside = threading.Event()

    def first() -> None:
        with cache.held(tmp_path):
            inside.set()
            order.append("first begins")
            order.append("first ends")

    other = threading.Thread(target=first)
    with cache.held(tmp_path):
        other.start()
        assert not inside.wait(0.2)
        order.append("second ends")
    other.join()
    assert order == ["second ends", "first begins", "first ends"]
