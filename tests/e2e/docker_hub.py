"""Pushes images to the lab's stand-in for Docker Hub, and counts requests to it."""

import os
import subprocess
import time
from pathlib import Path

import urllib3

from lab import addresses
from lab.target_cluster import TargetCluster


def published(repository: str, directory: Path, size: int = 100_000) -> str:
    """Push a new image with one layer of random content of ``size`` bytes; returns its name."""
    (directory / "content").write_bytes(os.urandom(size))
    subprocess.run(["tar", "-cf", "layer.tar", "content"], cwd=directory, check=True)
    name = f"{repository}:{time.time_ns()}"
    command = ["crane", "append", "--insecure", "--oci-empty-base", "-f", "layer.tar"]
    subprocess.run([*command, "-t", f"{addresses.HUB_STORAGE}/{name}"], cwd=directory, check=True, capture_output=True)
    return name


def fetched(target: TargetCluster, repository: str) -> int:
    """How often content of a repository was downloaded from Docker Hub."""
    assert target.lab is not None
    state = urllib3.request("GET", target.lab["hub"]["control"] + "/state").json()
    return sum(
        entry["count"]
        for entry in state["requests"]
        if (entry["method"], entry["repository"], entry["status"]) == ("GET", repository, 200)
    )
