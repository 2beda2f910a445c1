"""The traces that a lab can leave on a machine, as a set for comparison."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
KERNEL_SETTINGS = ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops")


def of(name: str) -> set[str]:
    """Every process, mount, link, control group, file and kernel setting that may belong to the lab `name`.

    Links and kernel settings have no name of a lab, so the set contains all of them.
    """
    mounts = (line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines())
    groups = (path for pattern in (f"*/{name}", name) for path in Path("/sys/fs/cgroup").glob(pattern))
    files = (
        path for parent in ("/run", "/run/netns", "/var/lib", "/var/log") for path in Path(parent).glob(f"*{name}*")
    )
    settings = (f"{setting} {Path('/proc/sys', setting).read_text().strip()}" for setting in KERNEL_SETTINGS)
    return {
        *(f"process {command}" for command in _commands() if name in command),
        *(f"mount {mount}" for mount in mounts if name in mount),
        *(f"link {link.name}" for link in Path("/sys/class/net").iterdir()),
        *(f"control group {group}" for group in groups),
        *(f"file {file}" for file in files),
        *(f"setting {setting}" for setting in settings),
    }


def _commands() -> list[str]:
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue
    return found


def environment(name: str) -> dict[str, str]:
    """The environment that makes `python -m lab` use the lab `name`."""
    return {**os.environ, "REGMIRROR_LAB_INSTANCE": name}


def lab(name: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs one command of the lab `name`."""
    command = [sys.executable, "-m", "lab", *words]
    return subprocess.run(command, cwd=ROOT, env=environment(name), capture_output=True, text=True, check=False)
