"""Cold pulls: an image that the mirror has never seen, through the mirror and from the upstream itself."""

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
from bench.figures import ratio, shown, spread, table
from bench.mirror import Mirror
from bench.place import Place
from lab import addresses

ROUNDS = 3
BYTES = 40_000_000
SPEEDS = {"12.5 MB/s": 12_500_000, "50 MB/s": 50_000_000, "unlimited": 0}
"""How fast the upstream sends a layer: 100 Mbit/s and 400 Mbit/s are what Docker Hub gives; none is a loopback."""


def measure(place: Place, mirror: Mirror) -> dict[str, Any]:
    """Seconds of crane to pull a whole image, in turns; each time an image of its own."""
    control = place.lab["hub"]["control"]
    results: dict[str, Any] = {}
    try:
        for name, speed in SPEEDS.items():
            slow = {"mode": "slow", "bytes_per_second": speed, "only": "blobs"}
            _put(f"{control}/faults", {"registry": slow} if speed else {})
            results[name] = _compare(place, mirror)
    finally:
        _put(f"{control}/faults", {})
    return {"unit": "s", "rounds": ROUNDS, "bytes": BYTES, "goal": 1.1, "speeds": results}


def report(result: dict[str, Any]) -> str:
    """The table."""
    rows = [
        (name, shown(found["mirror"]), shown(found["upstream"]), found["ratio"])
        for name, found in result["speeds"].items()
    ]
    head = ["speed of the upstream", "through the mirror, s", "upstream itself, s", "ratio (goal: at most 1.1)"]
    return table(head, rows)


def _compare(place: Place, mirror: Mirror) -> dict[str, Any]:
    through: list[float] = []
    direct: list[float] = []
    hub = f"{addresses.HUB_HOST}:{addresses.HUB_PORT}"
    for _ in range(ROUNDS):
        name = _offer(place)
        through.append(timed(partial(_pull, place, f"{mirror.host}/{name}")))
        direct.append(timed(partial(_pull, place, f"{hub}/{name}", "--insecure")))
    figures = {"mirror": spread(through), "upstream": spread(direct)}
    return figures | {"ratio": ratio(figures["mirror"], figures["upstream"])}


def _offer(place: Place) -> str:
    """Give the upstream a new image with one layer of bytes that do not compress; gives its name."""
    name = f"library/cold-{random.randrange(10**12)}:1"  # noqa: S311 - only new, not secret
    file = place.directory / "layer.tar"
    _write_layer(file)
    target = f"{addresses.HUB_STORAGE}/{name}"
    place.run(["crane", "append", "--insecure", "--oci-empty-base", f"--new_layer={file}", f"--new_tag={target}"])
    return name


def _write_layer(file: Path) -> None:
    with tarfile.open(file, "w") as archive:
        entry = tarfile.TarInfo("noise")
        entry.size = BYTES
        archive.addfile(entry, BytesIO(random.randbytes(BYTES)))  # noqa: S311 - noise


def _pull(place: Place, reference: str, *options: str) -> None:
    place.run(["crane", "pull", *options, reference, os.devnull])


def _put(url: str, content: Any) -> None:
    request = urllib.request.Request(url, json.dumps(content).encode(), method="PUT")  # noqa: S310 - the lab's own
    urllib.request.urlopen(request, timeout=5).close()  # noqa: S310 - the lab's own
