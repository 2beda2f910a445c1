"""The lab's control groups, which identify its processes; on cgroup v1, hybrid and v2 hosts.

`/NAME/daemons` contains the processes of `up`, `/NAME/kubepods` those of the kubelet, `/NAME/guests` those of `run`.
See cgroups(7).
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from lab.errors import CannotRunHereError

ROOT = Path("/sys/fs/cgroup")
# Required by the kubelet below its cgroup root (and hugetlb, if the host has it).
NEEDED_CONTROLLERS = ("cpu", "cpuset", "memory", "pids")
DAEMONS = "daemons"
GUESTS = "guests"


def hierarchies() -> list[Path]:
    """The mount points of all cgroup hierarchies; raises CannotRunHereError if a required controller is missing."""
    if (ROOT / "cgroup.controllers").is_file():
        return [ROOT]
    found = sorted(path for path in ROOT.glob("*") if (path / "cgroup.procs").is_file() and not path.is_symlink())
    missing = [name for name in NEEDED_CONTROLLERS if not (ROOT / name / "cgroup.procs").is_file()]
    if missing:
        raise CannotRunHereError(f"required cgroup controllers are not mounted below {ROOT}: {', '.join(missing)}")
    return found


def create(name: str, member: str = DAEMONS) -> list[Path]:
    """Creates the groups of the lab `name` and returns the files through which a process joins `member`: it writes 0.

    Raises CannotRunHereError if a group cannot be created or lacks a controller that the kubelet requires.
    """
    joins = []
    for hierarchy in hierarchies():
        group = hierarchy / name
        try:
            _enable_controllers(hierarchy)
            (group / member).mkdir(parents=True, exist_ok=True)
            _enable_controllers(group)
        except OSError as error:
            raise CannotRunHereError(f"cannot create the control group {group}: {error.strerror}") from error
        for directory in (group, group / member):
            _inherit_cpuset(directory)
        joins.append(group / member / "cgroup.procs")
    return joins


def processes(name: str, member: str) -> set[int]:
    """The process IDs in one of the groups: DAEMONS or GUESTS."""
    return _processes(hierarchy / name / member for hierarchy in hierarchies())


def all_processes(name: str) -> set[int]:
    """The process IDs of the lab `name`, including those of its pods."""
    return _processes(Path(found) for top in _groups(name) for found, _, _ in os.walk(top))


def remove(name: str) -> bool:
    """Removes the groups of the lab `name`; returns False while one of them still contains a process."""
    for top in _groups(name):
        for directory, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):
                Path(directory).rmdir()
    return not list(_groups(name))


def _groups(name: str) -> Iterator[Path]:
    return (hierarchy / name for hierarchy in hierarchies() if (hierarchy / name).is_dir())


def _processes(groups: Iterator[Path]) -> set[int]:
    found: set[int] = set()
    for group in groups:
        with contextlib.suppress(OSError):
            found.update(int(word) for word in (group / "cgroup.procs").read_text().split())
    return found


def _enable_controllers(group: Path) -> None:
    """On cgroup v2, a child group has only the controllers that its parent delegates."""
    if not (ROOT / "cgroup.controllers").is_file():
        return
    offered = (group / "cgroup.controllers").read_text().split()
    missing = sorted(set(NEEDED_CONTROLLERS) - set(offered))
    if missing:
        raise CannotRunHereError(f"{group} lacks required cgroup controllers: {', '.join(missing)}")
    delegated = [name for name in (*NEEDED_CONTROLLERS, "hugetlb") if name in offered]
    (group / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in delegated))


def _inherit_cpuset(group: Path) -> None:
    """On cgroup v1, a new cpuset group is empty, and no process can join it until it has CPUs and memory nodes."""
    for setting in ("cpuset.cpus", "cpuset.mems"):
        own, above = group / setting, group.parent / setting
        if "cpuset" in group.parts and own.is_file() and not own.read_text().strip():
            own.write_text(above.read_text())
