"""Pushes images to the lab's stand-in for Docker Hub, and counts requests to it."""

import os
import subprocess
import time
from pathlib import Path
from typing import Any

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


def copy_image(source: str, target: str) -> None:
    """Copy all tags of a repository of the upstream to another one."""
    command = ["crane", "copy", "--insecure", "--all-tags"]
    names = [f"{addresses.HUB_STORAGE}/{repository}" for repository in (source, target)]
    subprocess.run([*command, *names], check=True, capture_output=True)


def fetched(target: TargetCluster, repository: str) -> int:
    """How often content of a repository was downloaded from Docker Hub."""
    return sum(
        entry["count"] for entry in requests(target, repository) if (entry["method"], entry["status"]) == ("GET", 200)
    )


def layers_fetched(target: TargetCluster, repository: str) -> int:
    """How often a layer or a configuration of a repository was requested from Docker Hub, with or without success."""
    found = requests(target, repository)
    return sum(entry["count"] for entry in found if (entry["method"], entry["kind"]) == ("GET", "blobs"))


def requests(target: TargetCluster, repository: str) -> list[dict[str, Any]]:
    """The requests for a repository that reached Docker Hub, with their number as "count"."""
    assert target.lab is not None
    state = urllib3.request("GET", target.lab["hub"]["control"] + "/state").json()
    return [entry for entry in state["requests"] if entry["repository"] == repository]


def digest_of(name: str) -> str:
    """The digest of an image at Docker Hub."""
    words = ["crane", "digest", "--insecure", f"{addresses.HUB_STORAGE}/{name}"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
