"""What the pods of a mirror in the lab use while something happens: memory, disk, log; and whether one restarted."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from lab import cgroups
from regmirror.workloads.quantities import parse_quantity
from tests.e2e.deployed_mirror import DeployedMirror, Object

PAUSE = 0.5
"""Seconds between two measurements."""
BLOCK = 512
"""The unit of st_blocks, in bytes."""
Used = dict[str, tuple[int, int]]
"""The most bytes in use and the limit, by name."""


@dataclass
class PodResources:
    """The most that was in use, by COMPONENT/CONTAINER and COMPONENT/VOLUME, and what has happened to the pods."""

    memory: Used = field(default_factory=dict)
    volumes: Used = field(default_factory=dict)
    log_bytes: int = 0
    incidents: list[str] = field(default_factory=list)

    def problems(self) -> list[str]:
        """What exceeded its limit, and each restart, replacement and eviction."""
        return self.incidents + [
            f"{name} used {used} of {limit} bytes"
            for name, (used, limit) in [*self.memory.items(), *self.volumes.items()]
            if used >= limit
        ]

    def add(self, kind: Used, name: str, used: int, limit: int) -> None:
        """Keep the larger of two measurements."""
        kind[name] = max(kind.get(name, (0, 0)), (used, limit))


@contextmanager
def watched(mirror: DeployedMirror) -> Iterator[PodResources]:
    """Measures the pods that exist at the beginning of the block; complete at its end."""
    found, over = PodResources(), threading.Event()
    before = mirror.objects("pods")
    logged = log_bytes(mirror, before)

    def measure() -> None:
        while not over.wait(PAUSE):
            measure_once(mirror, before, found)
            found.log_bytes = max(found.log_bytes, log_bytes(mirror, before) - logged)

    measure_once(mirror, before, found)
    thread = threading.Thread(target=measure)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
    found.incidents += incidents(before, mirror.objects("pods"))


def measure_once(mirror: DeployedMirror, pods: list[Object], found: PodResources) -> None:
    """Add one measurement of all containers and volumes."""
    for pod in pods:
        component = pod["metadata"]["labels"]["app.kubernetes.io/name"]
        for status in pod["status"]["containerStatuses"]:
            group = control_group(mirror, str(status["containerID"]).rpartition("/")[2])
            if group is not None:
                with suppress(OSError):  # the container ended meanwhile, which is an incident
                    found.add(found.memory, f"{component}/{status['name']}", *memory(group))
        for volume, limit in size_limits(pod).items():
            used = disk_bytes(volume_directory(mirror, pod, volume))
            found.add(found.volumes, f"{component}/{volume}", used, limit)


def control_group(mirror: DeployedMirror, container: str) -> Path | None:
    """The memory control group of a container; None if the container does not run."""
    lab = mirror.target.lab
    assert lab is not None
    root = cgroups.ROOT if (cgroups.ROOT / "cgroup.controllers").is_file() else cgroups.ROOT / "memory"
    return next((root / lab["instance"]).glob(f"kubepods/**/{container}"), None)


def memory(group: Path) -> tuple[int, int]:
    """The bytes that the kernel cannot take back from a control group, and its limit."""
    stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    v2 = (group / "memory.current").is_file()
    usage, limit = ("memory.current", "memory.max") if v2 else ("memory.usage_in_bytes", "memory.limit_in_bytes")
    prefix = "" if v2 else "total_"
    cached = sum(int(stat[f"{prefix}{kind}"]) for kind in ("active_file", "inactive_file"))
    return int((group / usage).read_text()) - cached, int((group / limit).read_text())


def size_limits(pod: Object) -> dict[str, int]:
    """The size limit of each volume of a pod that has one."""
    volumes = {volume["name"]: volume.get("emptyDir", {}).get("sizeLimit") for volume in pod["spec"]["volumes"]}
    return {name: int(parse_quantity(limit)) for name, limit in volumes.items() if limit}


def volume_directory(mirror: DeployedMirror, pod: Object, volume: str) -> Path:
    """The directory of an emptyDir volume on the node."""
    lab = mirror.target.lab
    assert lab is not None
    return Path(lab["pod_directories"], pod["metadata"]["uid"], "volumes/kubernetes.io~empty-dir", volume)


def disk_bytes(directory: Path) -> int:
    """The bytes on disk of all files below a directory, some of which may disappear meanwhile."""
    total = 0
    for path in directory.rglob("*"):
        with suppress(FileNotFoundError):
            total += path.lstat().st_blocks * BLOCK
    return total


def log_bytes(mirror: DeployedMirror, pods: list[Object]) -> int:
    """The size of all log files of pods, rotated ones included."""
    lab = mirror.target.lab
    assert lab is not None
    names = {f"{mirror.namespace}_{pod['metadata']['name']}_{pod['metadata']['uid']}" for pod in pods}
    return sum(disk_bytes(Path(lab["pod_logs"], name)) for name in names)


def incidents(before: list[Object], after: list[Object]) -> list[str]:
    """The containers that restarted, and the pods that are gone or not running."""
    now = {pod["metadata"]["uid"]: pod for pod in after}
    found = []
    for pod in before:
        name, left = pod["metadata"]["name"], now.get(pod["metadata"]["uid"])
        if left is None or left["status"]["phase"] != pod["status"]["phase"]:
            found.append(f"pod {name} is {left['status'].get('reason', 'not running') if left else 'gone'}")
        else:
            found += [f"container {container} {what}" for container, what in restarts(pod, left)]
    return found


def restarts(before: Object, after: Object) -> Iterator[tuple[str, str]]:
    """The containers of a pod that restarted, with the reason."""
    counts: Mapping[str, int] = {one["name"]: one["restartCount"] for one in before["status"]["containerStatuses"]}
    for status in after["status"]["containerStatuses"]:
        if status["restartCount"] != counts[status["name"]]:
            ended = status.get("lastState", {}).get("terminated", {})
            yield status["name"], f"restarted: {ended.get('reason', 'unknown reason')}"
