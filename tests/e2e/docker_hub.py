"""The lab's stand-in for Docker Hub, as its owner sees it: what it offers, and what was taken from it."""

import os
import subprocess
import time
from pathlib import Path

import urllib3

from lab import addresses
from lab.setting import Setting


def published(repository: str, directory: Path, size: int = 100_000) -> str:
    """The name of an image with one layer of ``size`` bytes and a little that Docker Hub has had since now."""
    (directory / "content").write_bytes(os.urandom(size))
    subprocess.run(["tar", "-cf", "layer.tar", "content"], cwd=directory, check=True)
    name = f"{repository}:{time.time_ns()}"
    command = ["crane", "append", "--insecure", "--oci-empty-base", "-f", "layer.tar"]
    subprocess.run([*command, "-t", f"{addresses.HUB_STORAGE}/{name}"], cwd=directory, check=True, capture_output=True)
    return name


def fetched(setting: Setting, repository: str) -> int:
    """How often content of a repository was taken from Docker Hub."""
    assert setting.lab is not None
    state = urllib3.request("GET", setting.lab["hub"]["control"] + "/state").json()
    return sum(
        entry["count"]
        for entry in state["requests"]
        if (entry["method"], entry["repository"], entry["status"]) == ("GET", repository, 200)
    )
