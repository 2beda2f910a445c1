"""Whether this machine can run the lab, and in one sentence what it lacks if not."""

import contextlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lab import cgroups, debian
from lab.enclosure import NEW_NAMESPACES
from lab.errors import CannotRunHereError
from lab.instance import Instance

TOOLS = ("sh", "mount", "nsenter", "unshare")
# Every line of the output is something that the kernel refused. What it makes ends with its namespaces.
PROBE = """
ip link add probe0 type bridge || echo bridges
ip link add probe1 type veth peer name probe2 || echo veth links
nft 'add table ip probe; add chain ip probe nat { type nat hook prerouting priority 0; }' || echo nftables with NAT
cd "$1" && mount -n -t overlay -o lowerdir=lower,upperdir=upper,workdir=work lab merged || echo "overlays on $1"
"""


def check_machine() -> None:
    """Raises CannotRunHereError unless this is Linux on x86-64, with root's powers and the tools to make namespaces."""
    if sys.platform != "linux":
        raise CannotRunHereError(f"The lab needs Linux, and this is {platform.system()}.")
    if platform.machine() != "x86_64":
        raise CannotRunHereError(f"The lab's programs are for x86_64, and this is {platform.machine()}.")
    if os.geteuid() != 0:
        raise CannotRunHereError("The lab needs root, because it makes namespaces, links and mounts: run it by sudo.")
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise CannotRunHereError(f"The lab needs the programs {', '.join(missing)}, which are not on PATH.")
    made = subprocess.run([*NEW_NAMESPACES, "true"], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        reason = made.stderr.strip() or "unshare failed"
        raise CannotRunHereError(f"This process may not make namespaces (a container without privileges?): {reason}.")


def check_kernel(instance: Instance) -> None:
    """Raises CannotRunHereError unless the kernel has all that a node needs; Debian's packages must be there."""
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
            f"The kernel, or the container that this is, lacks: {', '.join(refused)}. Where only overlays are missing, "
            "REGMIRROR_LAB_STATE may name a directory on another file system."
        )
