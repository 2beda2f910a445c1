"""A cached layer: how fast clients receive it, and how much CPU time that takes."""

import statistics
from collections.abc import Callable
from functools import partial
from typing import Any

from bench import containers, load, plain, processes, upstream
from bench.comparison import Comparison
from bench.figures import clients, number, shown, spread, table
from bench.sides import Peer, Side, of_peer
from lab.sample_images import BIG_LAYER_BYTES

REPOSITORY = "library/big"
GIGABYTE = 1e9
SPEED, CPU, PARTS = "MB/s", "CPU s/GB", "CPU s/GB by container"
Used = dict[str, float]


def measure(of: Comparison) -> dict[str, Any]:
    """For each number of clients and each side: MB/s, and CPU seconds per GB of the mirror's pods or of the program.

    The CPU time of the Ingress controller and of the S3 server does not count.
    """
    layer = upstream.existing(of.env, REPOSITORY).layers[0]
    requests = {side: side.request(REPOSITORY, f"blobs/{layer}") for side in of.sides}
    with plain.serving(of.env) as sender:
        file = of_peer(sender)
        requests[file] = load.Request(f"{file.url}/layer")
        for request in requests.values():
            load.measure(of.env, request, 1, 0.1)
        meters = _meters(of, [*of.peers, sender])
        figures = {str(count): _rounds(of, requests, count, meters) for count in of.sizes.warm}
    return {"rounds": of.sizes.rounds, "clients": figures}


def report(result: dict[str, Any]) -> str:
    """Tables of speed, CPU time, and CPU time by container."""
    tables = [_table(result["clients"], unit) for unit in (SPEED, CPU)]
    return "\n".join([*tables, _parts(result["clients"])])


def _meters(of: Comparison, peers: list[Peer]) -> dict[str, Callable[[], Used]]:
    ours = containers.running(of.mirror)
    meters: dict[str, Callable[[], Used]] = dict.fromkeys(
        (of.public.name, of.pod.name), partial(containers.cpu_seconds, ours)
    )
    return meters | {peer.name: partial(_of_peer, peer) for peer in peers}


def _of_peer(peer: Peer) -> Used:
    return {peer.name: processes.cpu_seconds(peer.process)}


def _rounds(
    of: Comparison, requests: dict[Side, load.Request], count: int, meters: dict[str, Callable[[], Used]]
) -> dict[str, Any]:
    """All sides in each round, so that other load on the machine affects all of them."""
    rounds: dict[str, list[tuple[float, Used]]] = {side.name: [] for side in requests}
    for _ in range(of.sizes.rounds):
        for side, request in requests.items():
            rounds[side.name].append(_round(of, request, count, meters[side.name]))
    return {side: _figures(found) for side, found in rounds.items()}


def _round(of: Comparison, request: load.Request, count: int, meter: Callable[[], Used]) -> tuple[float, Used]:
    """Bytes per second, and CPU seconds per GB of each container."""
    before = meter()
    rate = load.measure(of.env, request, count, of.sizes.seconds)
    # Before the measurement, each client receives the layer once.
    gigabytes = (rate.total + count * BIG_LAYER_BYTES) / GIGABYTE
    return rate.bytes, {name: (seconds - before[name]) / gigabytes for name, seconds in meter().items()}


def _figures(rounds: list[tuple[float, Used]]) -> dict[str, Any]:
    names = rounds[0][1]
    return {
        SPEED: spread([speed / 1e6 for speed, _ in rounds]),
        CPU: spread([sum(used.values()) for _, used in rounds]),
        PARTS: {name: round(statistics.median(used[name] for _, used in rounds), 3) for name in names},
    }


def _table(by_clients: dict[str, Any], unit: str) -> str:
    sides = list(next(iter(by_clients.values())))
    rows = [(clients(count), *(shown(found[side][unit]) for side in sides)) for count, found in by_clients.items()]
    return table([f"cached layer, {unit}", *sides], rows)


def _parts(by_clients: dict[str, Any]) -> str:
    rows = [
        (f"{side}, {clients(count)}", ", ".join(f"{name} {number(used)}" for name, used in one[PARTS].items()))
        for count, found in by_clients.items()
        for side, one in found.items()
        if len(one[PARTS]) > 1
    ]
    return table(["cached layer", PARTS], rows) if rows else ""
