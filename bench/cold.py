"""Cold pulls: an image that is not cached, through the mirror and directly from the upstream."""

import json
import os
import random
import tarfile
import urllib.request
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

from bench.deploying import timed
from bench.environment import Environment
from bench.figures import ratio, shown, spread, table
from bench.mirror import Mirror
from lab import addresses

ROUNDS = 3
BYTES = 40_000_000
SPEEDS = {"12.5 MB/s": 12_500_000, "50 MB/s": 50_000_000, "unlimited": 0}
"""How fast the upstream sends a layer; Docker Hub sends 100 to 400 Mbit/s, and unlimited is the loopback interface."""


def measure(env: Environment, mirror: Mirror) -> dict[str, Any]:
    """Seconds that crane takes to pull an image, in turns; each pull uses a new image."""
    control = env.lab["hub"]["control"]
    results: dict[str, Any] = {}
    try:
        for name, speed in SPEEDS.items():
            slow = {"mode": "slow", "bytes_per_second": speed, "only": "blobs"}
            _put(f"{control}/faults", {"registry": slow} if speed else {})
            results[name] = _compare(env, mirror)
    finally:
        _put(f"{control}/faults", {})
    return {"unit": "s", "rounds": ROUNDS, "bytes": BYTES, "goal": 1.1, "speeds": results}


def report(result: dict[str, Any]) -> str:
    """The table."""
    rows = [
        (name, shown(found["mirror"]), shown(found["upstream"]), found["ratio"])
        for name, found in result["speeds"].items()
    ]
    head = ["upstream speed", "through the mirror, s", "directly from the upstream, s", "ratio (goal: at most 1.1)"]
    return table(head, rows)


def _compare(env: Environment, mirror: Mirror) -> dict[str, Any]:
    through: list[float] = []
    direct: list[float] = []
    hub = f"{addresses.HUB_HOST}:{addresses.HUB_PORT}"
    for _ in range(ROUNDS):
        name = _offer(env)
        through.append(timed(partial(_pull, env, f"{mirror.host}/{name}")))
        direct.append(timed(partial(_pull, env, f"{hub}/{name}", "--insecure")))
    figures = {"mirror": spread(through), "upstream": spread(direct)}
    return figures | {"ratio": ratio(figures["mirror"], figures["upstream"])}


def _offer(env: Environment) -> str:
    """Push a new image with one incompressible layer to the upstream; returns its name."""
    name = f"library/cold-{random.randrange(10**12)}:1"  # noqa: S311 - unique, not secret
    file = env.directory / "layer.tar"
    _write_layer(file)
    target = f"{addresses.HUB_STORAGE}/{name}"
    env.run(["crane", "append", "--insecure", "--oci-empty-base", f"--new_layer={file}", f"--new_tag={target}"])
    return name


def _write_layer(file: Path) -> None:
    with tarfile.open(file, "w") as archive:
        entry = tarfile.TarInfo("noise")
        entry.size = BYTES
        archive.addfile(entry, BytesIO(random.randbytes(BYTES)))  # noqa: S311 - noise


def _pull(env: Environment, reference: str, *options: str) -> None:
    env.run(["crane", "pull", *options, reference, os.devnull])


def _put(url: str, content: Any) -> None:
    request = urllib.request.Request(url, json.dumps(content).encode(), method="PUT")  # noqa: S310 - the lab's own
    urllib.request.urlopen(request, timeout=5).close()  # noqa: S310 - the lab's own
