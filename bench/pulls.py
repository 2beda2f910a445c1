"""Hot pulls: how fast many clients receive a cached image from the mirror and from the programs it is compared with."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench import load, store
from bench.environment import Environment
from bench.figures import number, ratio, shown, spread, table
from bench.load import Rate, Request
from bench.mirror import Mirror
from lab import addresses

CLIENTS = (1, 8, 64)
ROUNDS = 3
SECONDS = 2.0
REPOSITORY, TAG = "library/big", "1"
BARE, SEED, OURS = "bare", "seed", "regmirror"
REDIRECT, S3 = "regmirror, redirect", "S3 through the Ingress"
Requests = Mapping[str, Mapping[str, Request]]
"""By kind of request, then by side of the comparison."""


@dataclass(frozen=True)
class Image:
    """The image: a manifest and a layer of 20 MB."""

    digest: str
    layer: str


def image(env: Environment) -> Image:
    """The lab's library/big:1."""
    reference = f"{addresses.HUB_STORAGE}/{REPOSITORY}:{TAG}"
    digest = env.run(["crane", "digest", "--insecure", reference]).strip()
    manifest = json.loads(env.run(["crane", "manifest", "--insecure", reference]))
    return Image(digest, manifest["layers"][0]["digest"])


def hot(env: Environment, mirror: Mirror, seed: str, bare: str) -> dict[str, Any]:
    """Measure manifests, layers and tokens of the mirror, the recipe's mirror and the bare registry."""
    one = image(env)
    name = f"{REPOSITORY}:{TAG}"
    env.run(["crane", "copy", "--insecure", f"{addresses.HUB_STORAGE}/{name}", f"{bare}/{name}"])
    hosts = {SEED: env.host(seed), OURS: mirror.host}
    requests: dict[str, dict[str, Request]] = {
        kind: {BARE: Request(f"http://{bare}{path}")}
        | {side: Request(f"https://{host}{path}", _token(host)) for side, host in hosts.items()}
        for kind, path in paths(one).items()
    }
    requests["token"] = {side: Request(_token(host)) for side, host in hosts.items()}
    return _measure(env, requests)


def redirected(env: Environment, mirror: Mirror) -> dict[str, Any]:
    """Measure layers for which the mirror redirects clients to the S3 server, and the same directly from S3."""
    one = image(env)
    through = Request(f"https://{mirror.host}{paths(one)['blob']}", _token(mirror.host))
    itself = Request(store.presigned(env, mirror.namespace, one.layer))
    return _measure(env, {"blob": {REDIRECT: through, S3: itself}})


def paths(one: Image) -> dict[str, str]:
    """The path of each kind of request."""
    base = f"/v2/{REPOSITORY}"
    return {
        "manifest by tag": f"{base}/manifests/{TAG}",
        "manifest by digest": f"{base}/manifests/{one.digest}",
        "blob": f"{base}/blobs/{one.layer}",
    }


def _token(host: str) -> str:
    return f"https://{host}/auth?service={host}&scope=repository:{REPOSITORY}:pull"


def _measure(env: Environment, requests: Requests) -> dict[str, Any]:
    """Measure all sides in each round, so that other load on the machine affects all of them."""
    _fill(env, requests)
    return {
        kind: {str(clients): _rates(env, sides, clients) for clients in CLIENTS} for kind, sides in requests.items()
    }


def _fill(env: Environment, requests: Requests) -> None:
    for sides in requests.values():
        for request in sides.values():
            load.measure(env, request, 1, 0.1)


def _rates(env: Environment, sides: Mapping[str, Request], clients: int) -> dict[str, Any]:
    found: dict[str, list[Rate]] = {side: [] for side in sides}
    for _ in range(ROUNDS):
        for side, request in sides.items():
            found[side].append(load.measure(env, request, clients, SECONDS))
    return {
        side: {
            "requests/s": spread([rate.requests for rate in rates]),
            "MB/s": spread([rate.bytes / 1e6 for rate in rates]),
            "p99 ms": spread([rate.p99 for rate in rates]),
        }
        for side, rates in found.items()
    }


def report(result: dict[str, Any], compared: Mapping[str, str]) -> str:
    """One table for each kind of request; ``compared`` maps a side to the one that it is divided by."""
    return "\n".join(_report(kind, by_clients, compared) for kind, by_clients in result.items())


def _report(kind: str, by_clients: dict[str, Any], compared: Mapping[str, str]) -> str:
    unit = "MB/s" if kind == "blob" else "requests/s"
    sides = list(next(iter(by_clients.values())))
    pairs = [(one, other) for one, other in compared.items() if one in sides and other in sides]
    head = [f"{kind}, {unit}", *sides, *(f"{one} / {other}" for one, other in pairs)]
    rows = [
        (
            f"{clients} clients" if clients != "1" else "1 client",
            *(shown(found[side][unit]) for side in sides),
            *(number(ratio(found[one][unit], found[other][unit])) for one, other in pairs),
        )
        for clients, found in by_clients.items()
    ]
    return table(head, rows)
