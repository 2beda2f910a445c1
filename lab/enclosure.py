"""The lab's namespaces: everything it starts lives in them and dies with them.

One process, process 1 of its own process namespace, holds a network without any link to the host, a mount table of its
own and every process of the lab. Killing it makes the kernel end them all, pods included, and remove every link, rule
and mount: so `down` cannot forget one. See pid_namespaces(7), network_namespaces(7), mount_namespaces(7).
"""

import ctypes
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab import addresses, cgroups, debian
from lab.commands import last_lines
from lab.errors import LabError
from lab.instance import Instance

SCRIPT = Path(__file__).with_suffix(".sh")
CLONE_NEWNET = 0x40000000
# The words before a command that make it process 1 of new namespaces, which end with it or with `unshare`.
NEW_NAMESPACES = (
    "unshare",
    "--net",
    "--mount",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
    "--propagation=private",
)
JOIN = 'for group in $1; do echo 0 > "$group"; done; shift; exec "$@"'
KERNEL_SETTINGS = {
    "vm.overcommit_memory": "1",
    "vm.panic_on_oom": "0",
    "kernel.panic": "10",
    "kernel.panic_on_oops": "1",
    "kernel.keys.root_maxkeys": "1000000",
    "kernel.keys.root_maxbytes": "25000000",
}


@dataclass(frozen=True)
class Enclosure:
    """The namespaces of one running lab, found by the process that holds them."""

    instance: Instance
    holder: int

    def command(self, command: Sequence[str]) -> list[str]:
        """The words that run `command` inside all namespaces, as one of the lab's daemons."""
        inside = ["nsenter", f"--target={self.holder}", "--mount", "--net", "--pid", "--", *command]
        return joined(self.instance.name, cgroups.DAEMONS, inside)

    @property
    def network(self) -> Path:
        """The file that stands for the network namespace."""
        return Path(f"/proc/{self.holder}/ns/net")

    def enter_network(self) -> None:
        """Moves the calling thread, and the programs that it starts from now on, into the lab's network."""
        library = ctypes.CDLL(None, use_errno=True)
        descriptor = os.open(self.network, os.O_RDONLY)
        try:
            if library.setns(descriptor, CLONE_NEWNET) != 0:
                raise LabError(f"Cannot enter the lab's network: {os.strerror(ctypes.get_errno())}.")
        finally:
            os.close(descriptor)


def joined(name: str, group: str, command: Sequence[str]) -> list[str]:
    """The words that run `command` as a member of one of the control groups of the lab `name`."""
    return ["sh", "-c", JOIN, "lab", " ".join(str(file) for file in cgroups.create(name, group)), *command]


def create(instance: Instance, pause: Path) -> Enclosure:
    """Makes the namespaces and returns when they can be used; raises LabError with what the kernel refused."""
    _write_settings(instance)
    inside = ["sh", str(SCRIPT), str(instance.state), str(instance.run), str(pause)]
    inside += [addresses.NODE_INTERFACE, f"{addresses.NODE_ADDRESS}/24", addresses.SERVICE_SUBNET]
    log = instance.logs / "enclosure.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            joined(instance.name, cgroups.DAEMONS, [*NEW_NAMESPACES, *inside]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={"PATH": debian.SEARCH_PATH},
            start_new_session=True,
            cwd="/",
        )
    if process.stdout is None or process.stdout.readline() != b"ready\n":
        process.wait()
        raise LabError(f"The lab's namespaces cannot be made:\n{last_lines(log.read_text(errors='replace'))}")
    process.stdout.close()
    found = find(instance)
    if found is None:
        raise LabError("The lab's namespaces ended as soon as they were made.")
    return found


def find(instance: Instance) -> Enclosure | None:
    """The namespaces of a running lab: among the lab's daemons, the process that is number 1 in its namespace."""
    for process in cgroups.processes(instance.name, cgroups.DAEMONS):
        if _numbers(process)[1:] == [1]:
            return Enclosure(instance, process)
    return None


def inhabitants(instance: Instance) -> set[int]:
    """The lab's daemons in its process namespace, without the process that holds it and without pods."""
    daemons = cgroups.processes(instance.name, cgroups.DAEMONS)
    return {process for process in daemons if _numbers(process)[1:] not in ([], [1])}


def _numbers(process: int) -> list[int]:
    """The ids of a process in each of its process namespaces, from here inwards (NSpid in proc_pid_status(5))."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return []
    return [int(word) for line in status.splitlines() if line.startswith("NSpid:") for word in line.split()[1:]]


def _write_settings(instance: Instance) -> None:
    directory = instance.state / "sysctl"
    directory.mkdir(parents=True, exist_ok=True)
    for name, value in KERNEL_SETTINGS.items():
        (directory / name).write_text(f"{value}\n")
