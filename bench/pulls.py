"""Hot pulls: how fast many clients receive a cached image from the mirror and from the programs it is compared with."""

from collections.abc import Mapping
from typing import Any

from bench import load, upstream
from bench.comparison import Comparison
from bench.environment import Environment
from bench.figures import clients, number, ratio, shown, spread, table
from bench.load import Rate, Request
from bench.sides import Side
from bench.upstream import NewImage
from lab import addresses

REPOSITORY, TAG = "library/big", "1"
BARE, SEED, OURS = "bare", "seed", "regmirror"
Requests = Mapping[str, Mapping[str, Request]]
"""By kind of request, then by side of the comparison."""


def measure(of: Comparison) -> dict[str, Any]:
    """Measure manifests, layers and tokens of the mirror, the recipe's mirror and the bare registry."""
    env = of.env
    name = f"{REPOSITORY}:{TAG}"
    env.run(["crane", "copy", "--insecure", f"{addresses.HUB_STORAGE}/{name}", f"{of.store}/{name}"])
    hosts = {SEED: env.host(of.seed), OURS: of.mirror.host}
    sides = [Side(BARE, f"http://{of.store}"), *(Side(side, f"https://{host}", host) for side, host in hosts.items())]
    requests: dict[str, dict[str, Request]] = {
        kind: {side.name: side.request(REPOSITORY, path) for side in sides}
        for kind, path in _paths(upstream.existing(env, REPOSITORY)).items()
    }
    requests["token"] = {side.name: Request(side.request(REPOSITORY, "").token) for side in sides if side.token_host}
    return measure_all(of, requests)


def report(result: dict[str, Any]) -> str:
    """The tables."""
    return tables(result, {OURS: SEED})


def _paths(image: NewImage) -> dict[str, str]:
    return {
        "manifest by tag": f"manifests/{TAG}",
        "manifest by digest": f"manifests/{image.digest}",
        "blob": f"blobs/{image.layers[0]}",
    }


def measure_all(of: Comparison, requests: Requests) -> dict[str, Any]:
    """Measure all sides in each round, so that other load on the machine affects all of them."""
    for sides in requests.values():
        for request in sides.values():
            fill(of.env, request)
    return {kind: {str(count): _rates(of, sides, count) for count in of.sizes.warm} for kind, sides in requests.items()}


def fill(env: Environment, request: Request) -> None:
    """Send a request, so that its answer is in the cache."""
    load.measure(env, request, 1, 0.1)


def _rates(of: Comparison, sides: Mapping[str, Request], count: int) -> dict[str, Any]:
    found: dict[str, list[Rate]] = {side: [] for side in sides}
    for _ in range(of.sizes.rounds):
        for side, request in sides.items():
            found[side].append(load.measure(of.env, request, count, of.sizes.seconds))
    return {
        side: {
            "requests/s": spread([rate.requests for rate in rates]),
            "MB/s": spread([rate.bytes / 1e6 for rate in rates]),
            "p99 ms": spread([rate.p99 for rate in rates]),
        }
        for side, rates in found.items()
    }


def tables(result: dict[str, Any], compared: Mapping[str, str]) -> str:
    """One table for each kind of request; ``compared`` maps a side to the one that it is divided by."""
    return "\n".join(_table(kind, by_clients, compared) for kind, by_clients in result.items())


def _table(kind: str, by_clients: dict[str, Any], compared: Mapping[str, str]) -> str:
    unit = "MB/s" if kind == "blob" else "requests/s"
    sides = list(next(iter(by_clients.values())))
    pairs = [(one, other) for one, other in compared.items() if one in sides and other in sides]
    head = [f"{kind}, {unit}", *sides, *(f"{one} / {other}" for one, other in pairs)]
    rows = [
        (
            clients(count),
            *(shown(found[side][unit]) for side in sides),
            *(number(ratio(found[one][unit], found[other][unit])) for one, other in pairs),
        )
        for count, found in by_clients.items()
    ]
    return table(head, rows)
