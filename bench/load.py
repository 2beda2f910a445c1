"""Measurements with the load client: what a number of clients receive from a server."""

import json
from dataclasses import dataclass
from typing import Any

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
    """Complete answers and bytes per second, the bytes, and the 99th percentile of the latency in milliseconds."""

    requests: float
    bytes: float
    total: int
    p99: float

    @property
    def answers(self) -> float:
        """The number of complete answers."""
        return self.requests * self.total / self.bytes


@dataclass(frozen=True)
class Burst:
    """One request of each client, all at once: seconds until all are answered, and until the first byte (median)."""

    seconds: float
    first_byte: float
    statuses: dict[str, int]


def measure(env: Environment, request: Request, clients: int, seconds: float) -> Rate:
    """Clients that repeat the request; raises LabError if a request fails."""
    answer = _run(env, request, clients, f"--seconds={seconds}")
    taken = answer["seconds"]
    return Rate(answer["requests"] / taken, answer["bytes"] / taken, answer["bytes"], answer["p99_ms"])


def once(env: Environment, request: Request, clients: int) -> Burst:
    """Clients that send the request once, all at the same time; raises LabError if one gets no answer."""
    answer = _run(env, request, clients, "--once")
    return Burst(answer["seconds"], answer["first_byte_ms"] / 1000, answer["statuses"])


def read_slowly(env: Environment, request: Request, clients: int, bytes_per_second: int, seconds: float) -> None:
    """Clients that send the request once and read slowly, until the time is over; raises LabError if one fails."""
    _run(env, request, clients, f"--slow={bytes_per_second}", f"--seconds={seconds}")


def _run(env: Environment, request: Request, clients: int, *options: str) -> dict[str, Any]:
    words = [
        "load-client",
        f"--clients={clients}",
        *options,
        f"--authority={env.target.authority or ''}",
        f"--token={request.token}",
        f"--accept={ACCEPTED}",
        request.url,
    ]
    found: dict[str, Any] = json.loads(env.run(words))
    return found
