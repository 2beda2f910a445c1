"""The benchmark reads CPU time and memory of containers from control groups of both versions."""

from pathlib import Path

import pytest

from bench.containers import MEBIBYTE, Container, cpu_seconds, memory

V1 = {
    "cpu/cpu.stat": "nr_periods 0\nnr_throttled 0\nthrottled_time 0\n",
    "cpuacct/cpuacct.usage": "1500000000\n",
    "memory/memory.usage_in_bytes": f"{10 * MEBIBYTE}\n",
    "memory/memory.stat": f"inactive_file 1\ntotal_inactive_file {4 * MEBIBYTE}\n",
}
V2 = {
    "unified/cpu.stat": "usage_usec 1500000\nuser_usec 1000000\n",
    "unified/memory.current": f"{10 * MEBIBYTE}\n",
    "unified/memory.stat": f"anon 1\ninactive_file {4 * MEBIBYTE}\n",
}


def container(directory: Path, files: dict[str, str]) -> Container:
    for name, content in files.items():
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(content)
    return Container("registry", tuple(sorted(directory.iterdir())), restarts=0, limit="1Gi")


@pytest.mark.parametrize("files", [V1, V2], ids=["v1", "v2"])
def test_the_working_set_has_no_files_that_were_not_used_recently(tmp_path: Path, files: dict[str, str]) -> None:
    assert memory([container(tmp_path, files)]) == {"registry": 6.0}


@pytest.mark.parametrize("files", [V1, V2], ids=["v1", "v2"])
def test_replicas_are_added_up(tmp_path: Path, files: dict[str, str]) -> None:
    one = container(tmp_path, files)
    assert cpu_seconds([one, one]) == {"registry": 3.0}


def test_a_container_that_has_ended_uses_no_memory() -> None:
    assert memory([Container("registry", (Path("/does/not/exist"),), restarts=0, limit="1Gi")]) == {"registry": 0.0}
