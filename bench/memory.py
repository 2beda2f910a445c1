"""Memory of the mirror's containers: idle, with many clients, and with clients that read slowly."""

from typing import Any

from bench import containers, load, upstream
from bench.comparison import Comparison
from bench.containers import Container, Figures
from bench.figures import number, table

CLIENTS = 64
IDLE, LOADED, SLOW = "idle", "many clients", "slow readers"


def measure(of: Comparison) -> dict[str, Any]:
    """MiB of each container, its limit, and how often it was restarted meanwhile."""
    before = containers.running(of.mirror)
    figures = {IDLE: containers.memory(before)}
    with containers.peak_memory(before) as figures[LOADED]:
        _load(of)
    with containers.peak_memory(before) as figures[SLOW]:
        _read_slowly(of)
    found = {one.name: _container(one, figures) for one in containers.running(of.mirror)}
    return {"unit": "MiB", "clients": CLIENTS, "slow clients": of.sizes.slow_clients, "containers": found}


def report(result: dict[str, Any]) -> str:
    """The table."""
    many, slow = f"{result['clients']} clients", f"{result['slow clients']} slow readers"
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


def _read_slowly(of: Comparison) -> None:
    """Clients that read one layer slowly at the pod; it is new, so all of them wait for the upstream, too."""
    sizes = of.sizes
    image = upstream.offer(of.env, sizes.layer)
    request = of.pod.request(image.repository, f"blobs/{image.layers[0]}")
    with upstream.line(of.env, sizes.line):
        load.read_slowly(of.env, request, sizes.slow_clients, sizes.slow_speed, sizes.slow_seconds)
