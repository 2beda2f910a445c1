"""The build cache never contains a partial entry, and never treats an old build as current."""

import threading
from pathlib import Path

import pytest

from lab import cache, locks


def test_the_key_changes_with_the_content_the_name_of_a_file_and_the_facts(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module a\n")
    keys = [cache.content_key(tmp_path, ["go1"]), cache.content_key(tmp_path, ["go2"])]
    (tmp_path / "go.mod").write_text("module b\n")
    keys.append(cache.content_key(tmp_path, ["go1"]))
    (tmp_path / "go.mod").rename(tmp_path / "go.sum")
    keys.append(cache.content_key(tmp_path, ["go1"]))
    assert len(set(keys)) == len(keys)


def test_the_key_does_not_depend_on_the_path_of_the_directory(tmp_path: Path) -> None:
    for place in ("here", "there"):
        (tmp_path / place / "cmd").mkdir(parents=True)
        (tmp_path / place / "cmd" / "main.go").write_text("package main\n")
    assert cache.content_key(tmp_path / "here", []) == cache.content_key(tmp_path / "there", [])


def test_the_key_depends_on_where_a_fact_ends(tmp_path: Path) -> None:
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


def test_sweep_removes_killed_builds_and_keeps_complete_ones(tmp_path: Path) -> None:
    (tmp_path / "tool" / ".unfinished-x").mkdir(parents=True)
    cache.fill(tmp_path / "tool" / "key", lambda target: (target / "tool").touch())
    cache.sweep(tmp_path)
    assert [path.name for path in (tmp_path / "tool").iterdir()] == ["key"]


def test_the_second_builder_waits_for_the_first_and_reports_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    order: list[str] = []

    def second() -> None:
        with locks.held(tmp_path, "is building"):
            order.append("second")

    other = threading.Thread(target=second)
    with locks.held(tmp_path, "is building"):
        other.start()
        other.join(0.2)
        order.append("first")
    other.join()
    assert order == ["first", "second"]
    assert "waiting for another process that is building" in capsys.readouterr().err


def test_clean_removes_only_entries_of_the_lab(tmp_path: Path) -> None:
    for name in ("etcd", "photographs"):
        (tmp_path / name / "key").mkdir(parents=True)
    cache.clean(tmp_path, ["etcd", "never-built"])
    assert [path.name for path in tmp_path.iterdir()] == ["photographs"]
    cache.clean(tmp_path, ["photographs"])
    assert not tmp_path.exists()
