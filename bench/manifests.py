"""Cached manifests: the mirror against other caches, directly and through the same Ingress controller."""

from typing import Any

from bench import ingress, load, upstream
from bench.comparison import Comparison
from bench.figures import shown, spread, table
from bench.load import Rate
from bench.sides import Peer, Side
from lab.errors import LabError

REPOSITORY = "library/big"
Rates = dict[str, list[Rate | None]]


def measure(of: Comparison) -> dict[str, Any]:
    """For each kind of manifest and each side: requests per second; None if the side answers with an error."""
    image = upstream.existing(of.env, REPOSITORY)
    kinds = {"manifest by tag": upstream.TAG, "manifest by digest": image.digest}
    sides = [*of.sides, *(_through_ingress(of, peer) for peer in of.peers)]
    found = {kind: _rates(of, sides, reference) for kind, reference in kinds.items()}
    return {"clients": of.sizes.manifest_clients, "rounds": of.sizes.rounds, "kinds": found}


def report(result: dict[str, Any]) -> str:
    """The table: a row for each side."""
    kinds = result["kinds"]
    sides = list(next(iter(kinds.values())))
    rows = [(side, *(shown(found[side]) if found[side] else "error" for found in kinds.values())) for side in sides]
    return table([f"{result['clients']} clients, requests/s", *kinds], rows)


def _through_ingress(of: Comparison, peer: Peer) -> Side:
    namespace = of.mirror.namespace
    ingress.expose(of.env, namespace, peer.name, int(peer.address.rpartition(":")[2]))
    return Side(f"{peer.name}, Ingress", f"https://{ingress.host(of.env, namespace, peer.name)}")


def _rates(of: Comparison, sides: list[Side], reference: str) -> dict[str, Any]:
    rates: Rates = {side.name: [] for side in sides}
    for _ in range(of.sizes.rounds):
        for side in sides:
            rates[side.name].append(_rate(of, side, reference))
    return {side: _spread(found) for side, found in rates.items()}


def _rate(of: Comparison, side: Side, reference: str) -> Rate | None:
    request = side.request(REPOSITORY, f"manifests/{reference}")
    try:
        return load.measure(of.env, request, of.sizes.manifest_clients, of.sizes.seconds)
    except LabError:
        if side in of.sides:
            raise
        return None


def _spread(rates: list[Rate | None]) -> dict[str, float] | None:
    complete = [rate.requests for rate in rates if rate]
    return spread(complete) if len(complete) == len(rates) else None
