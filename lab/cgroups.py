"""The lab's control groups: they tell its processes from all others, on cgroup v1, hybrid and v2 hosts alike.

`/NAME/daemons` holds what `up` starts, `/NAME/kubepods` what the kubelet starts, `/NAME/visitors` what `run` starts.
See cgroups(7).
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from lab.errors import CannotRunHereError

ROOT = Path("/sys/fs/cgroup")
# What the kubelet wants to find under its cgroup root (and hugetlb, where the host has it).
NEEDED_CONTROLLERS = ("cpu", "cpuset", "memory", "pids")
DAEMONS = "daemons"
VISITORS = "visitors"


def hierarchies() -> list[Path]:
    """The mount points of all cgroup hierarchies; raises CannotRunHereError where the needed ones are missing."""
    if (ROOT / "cgroup.controllers").is_file():
        return [ROOT]
    found = sorted(path for path in ROOT.glob("*") if (path / "cgroup.procs").is_file() and not path.is_symlink())
    lacking = [name for name in NEEDED_CONTROLLERS if not (ROOT / name / "cgroup.procs").is_file()]
    if lacking:
        raise CannotRunHereError(f"The cgroup controllers {', '.join(lacking)} are not mounted below {ROOT}.")
    return found


def create(name: str, member: str = DAEMONS) -> list[Path]:
    """Makes the groups of the lab `name` and returns the files that a process joins `member` by writing 0 to.

    Raises CannotRunHereError where the groups cannot be made or lack a controller that the kubelet needs.
    """
    joins = []
    for hierarchy in hierarchies():
        group = hierarchy / name
        try:
            _enable_controllers(hierarchy)
            (group / member).mkdir(parents=True, exist_ok=True)
            _enable_controllers(group)
        except OSError as error:
            raise CannotRunHereError(f"Cannot make the control group {group}: {error.strerror}.") from error
        for directory in (group, group / member):
            _inherit_cpuset(directory)
        joins.append(group / member / "cgroup.procs")
    return joins


def processes(name: str, member: str) -> set[int]:
    """The ids of the processes in one of the groups: DAEMONS or VISITORS."""
    return _processes(hierarchy / name / member for hierarchy in hierarchies())


def all_processes(name: str) -> set[int]:
    """The ids of all processes of the lab `name`, those of its pods included."""
    return _processes(Path(found) for top in _groups(name) for found, _, _ in os.walk(top))


def remove(name: str) -> bool:
    """Removes the groups of the lab `name`; False while the kernel still sees a process in one of them."""
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
    """On cgroup v2 a child group has only the controllers that its parent passes on."""
    if not (ROOT / "cgroup.controllers").is_file():
        return
    offered = (group / "cgroup.controllers").read_text().split()
    lacking = sorted(set(NEEDED_CONTROLLERS) - set(offered))
    if lacking:
        raise CannotRunHereError(f"{group} lacks the cgroup controllers {', '.join(lacking)}.")
    passed_on = [name for name in (*NEEDED_CONTROLLERS, "hugetlb") if name in offered]
    (group / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in passed_on))


def _inherit_cpuset(group: Path) -> None:
    """On cgroup v1 a new cpuset group is empty, and no process can join it until it has processors and memory."""
    for setting in ("cpuset.cpus", "cpuset.mems"):
        own, above = group / setting, group.parent / setting
        if "cpuset" in group.parts and own.is_file() and not own.read_text().strip():
            own.write_text(above.read_text())
