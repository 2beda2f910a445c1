"""The end-to-end tests notice memory, disk and log that pods use, and every restart."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.pod_resources import PodResources, disk_bytes, incidents, memory, size_limits

POD: dict[str, Any] = {
    "metadata": {"name": "registry-1", "uid": "u1"},
    "spec": {"volumes": [{"name": "cache", "emptyDir": {"sizeLimit": "512Mi"}}, {"name": "config", "secret": {}}]},
    "status": {"phase": "Running", "containerStatuses": [{"name": "registry", "restartCount": 1}]},
}
KILLED = {"name": "registry", "restartCount": 2, "lastState": {"terminated": {"reason": "OOMKilled"}}}


@pytest.mark.parametrize(
    ("usage", "limit", "prefix"),
    [("memory.current", "memory.max", ""), ("memory.usage_in_bytes", "memory.limit_in_bytes", "total_")],
    ids=["cgroup v2", "cgroup v1"],
)
def test_the_page_cache_is_not_counted_as_memory(tmp_path: Path, usage: str, limit: str, prefix: str) -> None:
    (tmp_path / usage).write_text("1000\n")
    (tmp_path / limit).write_text("5000\n")
    (tmp_path / "memory.stat").write_text(f"{prefix}active_file 300\n{prefix}inactive_file 200\n{prefix}rss 7\n")
    assert memory(tmp_path) == (500, 5000)


def test_only_volumes_with_a_size_limit_have_one() -> None:
    assert size_limits(POD) == {"cache": 512 << 20}


def test_the_disk_space_of_a_directory_is_that_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_bytes(bytes(100_000))
    assert 100_000 <= disk_bytes(tmp_path) < 200_000
    assert disk_bytes(tmp_path / "missing") == 0


def test_every_restart_and_loss_of_a_pod_is_an_incident() -> None:
    restarted, evicted = copy.deepcopy(POD), copy.deepcopy(POD)
    restarted["status"]["containerStatuses"] = [KILLED]
    evicted["status"] |= {"phase": "Failed", "reason": "Evicted"}
    assert incidents([POD], [POD]) == []
    assert incidents([POD], [restarted]) == ["container registry restarted: OOMKilled"]
    assert incidents([POD], [evicted]) == ["pod registry-1 is Evicted"]
    assert incidents([POD], []) == ["pod registry-1 is gone"]


def test_more_than_a_limit_is_a_problem() -> None:
    found = PodResources()
    for used in (10, 90, 20):
        found.add(found.memory, "registry", used, 100)
    found.add(found.volumes, "cache", 100, 100)
    assert found.memory == {"registry": (90, 100)}
    assert found.problems() == ["cache used 100 of 100 bytes"]
