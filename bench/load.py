"""One measurement by the load client: what a number of clients get from a server within some seconds."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bench.place import Place

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
    """What is asked for again and again; ``token`` is the URL at which each client gets a token first."""

    url: str
    token: str = ""


@dataclass(frozen=True)
class Rate:
    """Whole answers and bytes per second, and the time that the slowest hundredth took at least, in milliseconds."""

    requests: float
    bytes: float
    p99: float


def measure(place: Place, request: Request, clients: int, seconds: float) -> Rate:
    """Let the clients loose; raises LabError where a single request fails."""
    words: Sequence[str] = [
        "load-client",
        f"--clients={clients}",
        f"--seconds={seconds}",
        f"--authority={place.setting.authority}",
        f"--token={request.token}",
        f"--accept={ACCEPTED}",
        request.url,
    ]
    answer = json.loads(place.run(words))
    return Rate(answer["requests"] / answer["seconds"], answer["bytes"] / answer["seconds"], answer["p99_ms"])
