"""The sandbox of the lab: Linux namespaces that contain all of its processes.

One process, PID 1 of a PID namespace, holds a network namespace without a link to the host and a mount namespace. When
it is killed, the kernel ends all processes in the sandbox, including pods, and removes every link, rule and mount, so
that `down` cannot miss any. See pid_namespaces(7), network_namespaces(7), mount_namespaces(7).
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
# Prefix of a command that makes it PID 1 of new namespaces, which end with it or with `unshare`.
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
class Sandbox:
    """The namespaces of one running lab; `holder` is the process that holds them."""

    instance: Instance
    holder: int

    def command(self, command: Sequence[str]) -> list[str]:
        """The command line that runs `command` in all namespaces, as one of the lab's daemons."""
        inside = ["nsenter", f"--target={self.holder}", "--mount", "--net", "--pid", "--", *command]
        return joined(self.instance.name, cgroups.DAEMONS, inside)

    @property
    def network(self) -> Path:
        """The file of the network namespace in /proc."""
        return Path(f"/proc/{self.holder}/ns/net")

    def enter_network(self) -> None:
        """Moves the calling thread, and the programs that it starts, into the lab's network namespace."""
        library = ctypes.CDLL(None, use_errno=True)
        descriptor = os.open(self.network, os.O_RDONLY)
        try:
            if library.setns(descriptor, CLONE_NEWNET) != 0:
                raise LabError(f"cannot enter the lab's network: {os.strerror(ctypes.get_errno())}")
        finally:
            os.close(descriptor)


def joined(name: str, group: str, command: Sequence[str]) -> list[str]:
    """The command line that runs `command` in one of the control groups of the lab `name`."""
    return ["sh", "-c", JOIN, "lab", " ".join(str(file) for file in cgroups.create(name, group)), *command]


def create(instance: Instance, pause: Path) -> Sandbox:
    """Creates the namespaces and returns when they are ready; raises LabError with the reason if it fails."""
    _write_settings(instance)
    inside = ["sh", str(SCRIPT), str(instance.state), str(instance.run), str(pause)]
    inside += [addresses.NODE_INTERFACE, f"{addresses.NODE_ADDRESS}/24", f"{addresses.DOCKER_IO_ADDRESS}/32"]
    inside += [addresses.SERVICE_SUBNET]
    log = instance.logs / "sandbox.log"
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
        raise LabError(f"cannot create the lab's namespaces:\n{last_lines(log.read_text(errors='replace'))}")
    process.stdout.close()
    found = find(instance)
    if found is None:
        raise LabError("the lab's namespaces ended immediately after their creation")
    return found


def find(instance: Instance) -> Sandbox | None:
    """The sandbox of a running lab, or None; its holder is the daemon with PID 1 in its own namespace."""
    for process in cgroups.processes(instance.name, cgroups.DAEMONS):
        if _numbers(process)[1:] == [1]:
            return Sandbox(instance, process)
    return None


def daemons(instance: Instance) -> set[int]:
    """The process IDs of the lab's daemons, without the holder of the namespaces and without pods."""
    members = cgroups.processes(instance.name, cgroups.DAEMONS)
    return {process for process in members if _numbers(process)[1:] not in ([], [1])}


def _numbers(process: int) -> list[int]:
    """The IDs of a process in each of its PID namespaces, outermost first (NSpid in proc_pid_status(5))."""
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
