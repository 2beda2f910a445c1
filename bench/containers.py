"""The mirror's containers: CPU time and memory from their control groups, restarts and limits from Kubernetes.

The kubelet's own figures are up to ten seconds old.
"""

import json
import os
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.mirror import Mirror
from lab import cgroups

PAUSE = 0.2
MEBIBYTE = 1 << 20
Figures = dict[str, float]
"""By COMPONENT/CONTAINER; those of several replicas are added up."""


@dataclass(frozen=True)
class Container:
    """A running container; on cgroup v1, it has a control group in each hierarchy."""

    name: str
    groups: tuple[Path, ...]
    restarts: int
    limit: str

    def read(self, *files: str) -> str:
        """The content of the first of these files that one of the control groups has.

        Raises FileNotFoundError if the container has ended.
        """
        for path in (group / file for file in files for group in self.groups):
            if path.is_file():
                return path.read_text()
        raise FileNotFoundError(f"the container {self.name} has no {' or '.join(files)}")


def running(mirror: Mirror) -> list[Container]:
    """All containers of the mirror that run now."""
    pods = json.loads(mirror.env.kubectl("-n", mirror.namespace, "get", "pods", "-o", "json"))["items"]
    return [
        _container(mirror, pod, status)
        for pod in pods
        for status in pod["status"].get("containerStatuses", [])
        if "running" in status["state"]
    ]


def cpu_seconds(containers: Sequence[Container]) -> Figures:
    """CPU seconds that the containers have used since they started."""
    return _sum((container.name, _cpu_seconds(container)) for container in containers)


def run_on(cores: set[int], containers: Sequence[Container]) -> None:
    """Let all threads of these containers run on these cores only."""
    processes = {process for container in containers for process in container.read("cgroup.procs").split()}
    for thread in (task.name for process in processes for task in Path("/proc", process, "task").glob("*")):
        # A probe of the kubelet may have ended since.
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread), cores)


def memory(containers: Sequence[Container]) -> Figures:
    """The working sets in MiB: memory without files that were not used recently. Kubernetes evicts by this figure."""
    return _sum((container.name, _working_set(container) / MEBIBYTE) for container in containers)


@contextmanager
def peak_memory(containers: Sequence[Container]) -> Iterator[Figures]:
    """The maximum working sets during the block, in MiB; complete at its end."""
    most: Figures = defaultdict(float)
    over = threading.Event()

    def watch() -> None:
        while not over.wait(PAUSE):
            for name, held in memory(containers).items():
                most[name] = max(most[name], held)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield most
    finally:
        over.set()
        thread.join()


def _container(mirror: Mirror, pod: dict[str, Any], status: dict[str, Any]) -> Container:
    identity = status["containerID"].rpartition("/")[2]
    (specified,) = (found for found in pod["spec"]["containers"] if found["name"] == status["name"])
    tops = [hierarchy / mirror.env.lab["instance"] for hierarchy in cgroups.hierarchies()]
    groups = tuple(group for top in tops for group in top.rglob(identity))
    name = f"{pod['metadata']['labels']['app.kubernetes.io/name']}/{status['name']}"
    return Container(name, groups, status["restartCount"], specified["resources"]["limits"]["memory"])


def _cpu_seconds(container: Container) -> float:
    text = container.read("cpuacct.usage", "cpu.stat")
    found = _values(text)
    return found["usage_usec"] / 1e6 if found else int(text) / 1e9


def _working_set(container: Container) -> float:
    """0 if the container has ended: its successor is not watched, and its restart is reported."""
    try:
        used = int(container.read("memory.usage_in_bytes", "memory.current"))
        found = _values(container.read("memory.stat"))
    except FileNotFoundError:
        return 0.0
    return used - found.get("total_inactive_file", found.get("inactive_file", 0))


def _values(text: str) -> dict[str, int]:
    lines = (line.split() for line in text.splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) > 1}


def _sum(figures: Iterator[tuple[str, float]]) -> Figures:
    total: Figures = defaultdict(float)
    for name, figure in figures:
        total[name] += figure
    return dict(total)
