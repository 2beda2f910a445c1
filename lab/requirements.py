"""Checks whether this machine can run the lab."""

import contextlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lab import cgroups, debian
from lab.errors import CannotRunHereError
from lab.instance import Instance
from lab.sandbox import NEW_NAMESPACES

TOOLS = ("sh", "mount", "nsenter", "unshare")
# Each line of output names something that the kernel refused. Everything it creates ends with its namespaces.
PROBE = """
ip link add probe0 type bridge || echo bridges
ip link add probe1 type veth peer name probe2 || echo veth links
nft 'add table ip probe; add chain ip probe nat { type nat hook prerouting priority 0; }' || echo nftables with NAT
cd "$1" && mount -n -t overlay -o lowerdir=lower,upperdir=upper,workdir=work lab merged || echo "overlays on $1"
"""


def check_machine() -> None:
    """Raises CannotRunHereError unless this is Linux on x86-64 with root privileges and the tools for namespaces."""
    if sys.platform != "linux":
        raise CannotRunHereError(f"the lab requires Linux; this is {platform.system()}")
    if platform.machine() != "x86_64":
        raise CannotRunHereError(f"the lab requires x86_64; this is {platform.machine()}")
    if os.geteuid() != 0:
        raise CannotRunHereError(
            "the lab requires root, because it creates namespaces, links and mounts: run it with sudo"
        )
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise CannotRunHereError(f"required programs are not on PATH: {', '.join(missing)}")
    made = subprocess.run([*NEW_NAMESPACES, "true"], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        reason = made.stderr.strip() or "unshare failed"
        raise CannotRunHereError(f"cannot create namespaces (in an unprivileged container?): {reason}")


def check_kernel(instance: Instance) -> None:
    """Raises CannotRunHereError if the kernel lacks a feature that a node requires; needs the Debian packages."""
    cgroups.create(instance.name)
    instance.state.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=instance.state, prefix="probe-") as scratch:
        for name in ("lower", "upper", "work", "merged"):
            Path(scratch, name).mkdir()
        command = [*NEW_NAMESPACES, "sh", "-c", PROBE, "lab", scratch]
        refused = subprocess.run(
            command, env={"PATH": debian.SEARCH_PATH}, capture_output=True, text=True, check=False
        ).stdout.splitlines()
    if refused:
        with contextlib.suppress(OSError):
            instance.state.rmdir()
        raise CannotRunHereError(
            f"the kernel, or the container around this process, does not support: {', '.join(refused)}. If only "
            "overlays are missing, set REGMIRROR_LAB_STATE to a directory on another file system"
        )
