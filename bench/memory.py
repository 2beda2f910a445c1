"""Memory of the mirror's containers: idle, with many clients, and with clients that read slowly."""

import sys
from typing import Any

from bench import containers, load, upstream
from bench.comparison import Comparison
from bench.containers import Container, Figures
from bench.figures import number, table
from lab.errors import LabError

CLIENTS = 64
IDLE, LOADED, SLOW = "idle", "many clients", "slow readers"


def measure(of: Comparison) -> dict[str, Any]:
    """MiB of each container, its limit, and how often it was restarted meanwhile."""
    before = containers.running(of.mirror)
    figures = {IDLE: containers.memory(before)}
    with containers.peak_memory(before) as figures[LOADED]:
        _load(of)
    with containers.peak_memory(before) as figures[SLOW]:
        served = _read_slowly(of)
    found = {one.name: _container(one, figures) for one in containers.running(of.mirror)}
    clients = {"clients": CLIENTS, "slow clients": of.sizes.slow_clients, "slow clients are served": served}
    return {"unit": "MiB", **clients, "containers": found}


def report(result: dict[str, Any]) -> str:
    """The table."""
    many, slow = f"{result['clients']} clients", f"{result['slow clients']} slow readers"
    slow += "" if result["slow clients are served"] else " (failed)"
    rows = [
        (name, *(number(one[state]) for state in (IDLE, LOADED, SLOW)), one["limit"], one["restarts"])
        for name, one in result["containers"].items()
    ]
    return table(["memory, MiB", "idle", many, slow, "limit", "restarts"], rows)


def _container(container: Container, figures: dict[str, Figures]) -> dict[str, Any]:
    held = {state: round(found.get(container.name, 0.0), 1) for state, found in figures.items()}
    return held | {"limit": container.limit, "restarts": container.restarts}


def _load(of: Comparison) -> None:
    """Clients that pull a cached layer of 20 MB, and its manifest, through the public host."""
    image = upstream.existing(of.env, "library/big")
    for path in (f"manifests/{upstream.TAG}", f"blobs/{image.layers[0]}"):
        load.measure(of.env, of.public.request(image.repository, path), CLIENTS, of.sizes.seconds)


def _read_slowly(of: Comparison) -> bool:
    """Clients that read one layer slowly at the pod; it is new, so all of them wait for the upstream, too.

    False if one of them was not served until the end.
    """
    sizes = of.sizes
    image = upstream.offer(of.env, sizes.layer)
    request = of.pod.request(image.repository, f"blobs/{image.layers[0]}")
    try:
        with upstream.line(of.env, sizes.line):
            load.read_slowly(of.env, request, sizes.slow_clients, sizes.slow_speed, sizes.slow_seconds)
    except LabError as error:
        print(f"bench: {error}", file=sys.stderr)
        return False
    return True
