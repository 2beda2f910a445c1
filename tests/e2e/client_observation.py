"""What happened when a client pulled: where the image came from, and where an account went."""

from dataclasses import dataclass
from enum import StrEnum

from tests.e2e.client_machine import ClientMachine
from tests.e2e.deployed_mirror import Outcome
from tests.e2e.docker_io import Traffic

_KINDS = {"/manifests/": "manifests", "/blobs/": "layers", "/referrers/": "referrers", "/tags/": "tags"}
_CONTENT = {"manifests", "layers"}


class Result(StrEnum):
    """Where an image came from; a client exits with 0 in the first two cases."""

    MIRROR = "from the mirror"
    DOCKER_IO = "from docker.io"
    REFUSED = "refused"
    """The client failed without asking docker.io."""
    NOT_FOUND = "failed, after docker.io was asked"


@dataclass(frozen=True)
class Observation:
    """The result of a command, what docker.io was asked for, and whether the mirror got an account of docker.io."""

    result: Result
    docker_io: tuple[str, ...] = ()
    leaked: bool = False


def observe(machine: ClientMachine, outcome: Outcome, password_of_docker_hub: str) -> Observation:
    """What the mirror and docker.io have seen of a command."""
    seen = machine.docker_io.what_docker_io_saw()
    return Observation(_result(outcome, seen), _asked(seen), machine.tap.seen.has(password_of_docker_hub))


def _result(outcome: Outcome, seen: Traffic) -> Result:
    if outcome.code != 0:
        return Result.NOT_FOUND if seen.connections else Result.REFUSED
    return Result.DOCKER_IO if _CONTENT & set(_asked(seen)) else Result.MIRROR


def _asked(seen: Traffic) -> tuple[str, ...]:
    """The kinds of requests, each once. A connection without a request counts as well."""
    kinds = {next((kind for part, kind in _KINDS.items() if part in each.path), "tokens") for each in seen.requests}
    return tuple(sorted(kinds)) or (("a connection",) if seen.connections else ())
