"""Layers for which the mirror redirects clients to the store, and the same directly from the store."""

from typing import Any

from bench import mirror, pulls, store, upstream
from bench.comparison import Comparison
from bench.load import Request
from bench.sides import Side

REDIRECT, S3 = "regmirror, redirect", "S3 through the Ingress"


def measure(of: Comparison) -> dict[str, Any]:
    """Figures of both, with a mirror of its own."""
    env = of.env
    made = mirror.prepared(env)
    store.expose(env, made.namespace)
    made.change("storage", "redirect: true", f"redirectEndpoint: https://{store.host(env, made.namespace)}")
    made.reaching("deploy")
    layer = upstream.existing(env, pulls.REPOSITORY).layers[0]
    through = Side(REDIRECT, f"https://{made.host}", made.host).request(pulls.REPOSITORY, f"blobs/{layer}")
    # The mirror writes the layer to the bucket, where the other side reads it.
    pulls.fill(env, through)
    itself = Request(store.presigned(env, made.namespace, layer))
    return pulls.measure_all(of, {"blob": {REDIRECT: through, S3: itself}})


def report(result: dict[str, Any]) -> str:
    """The table."""
    return pulls.tables(result, {REDIRECT: S3})
