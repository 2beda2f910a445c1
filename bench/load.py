"""One measurement with the load client: how much a number of clients receive from a server."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bench.environment import Environment

ACCEPTED = ",".join(
    [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ]
)


@dataclass(frozen=True)
class Request:
    """The request that clients repeat; ``token`` is the URL from which each client gets a token first."""

    url: str
    token: str = ""


@dataclass(frozen=True)
class Rate:
    """Complete answers and bytes per second, and the 99th percentile of the latency in milliseconds."""

    requests: float
    bytes: float
    p99: float


def measure(env: Environment, request: Request, clients: int, seconds: float) -> Rate:
    """Run the clients; raises LabError if a request fails."""
    words: Sequence[str] = [
        "load-client",
        f"--clients={clients}",
        f"--seconds={seconds}",
        f"--authority={env.target.authority}",
        f"--token={request.token}",
        f"--accept={ACCEPTED}",
        request.url,
    ]
    answer = json.loads(env.run(words))
    return Rate(answer["requests"] / answer["seconds"], answer["bytes"] / answer["seconds"], answer["p99_ms"])
