"""docker.io in the lab: what clients asked it for past the mirror, and its faults."""

import hashlib
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

from lab.target_cluster import TargetCluster

DOWN: Mapping[str, Any] = {"down": True}
DROP = """\
table ip docker_io {{
    chain input {{
        type filter hook input priority 0
        ip daddr {address} drop
    }}
}}
"""
HANGING: Mapping[str, Any] = {"registry": {"mode": "hang"}, "token": {"mode": "hang"}}


@dataclass(frozen=True)
class Credential:
    """A password or token in a request, as its SHA-256; ``kind`` is "basic", "bearer" or a field of a form."""

    kind: str
    user: str
    sha256: str


@dataclass(frozen=True)
class SeenRequest:
    """A request without its query, and the credentials in its Authorization header, form and query."""

    method: str
    host: str
    path: str
    credentials: tuple[Credential, ...] = ()


@dataclass(frozen=True)
class Traffic:
    """What a server saw: its requests in their order, and its connections, also those that failed in the handshake."""

    connections: int = 0
    requests: tuple[SeenRequest, ...] = ()

    def has(self, secret: str) -> bool:
        """Whether a request had this password or token."""
        return self.has_hash(sha256(secret))

    def has_hash(self, sha256: str) -> bool:
        """Whether a request had the password or token with this hash."""
        return any(found.sha256 == sha256 for request in self.requests for found in request.credentials)


NOTHING = Traffic()


@dataclass(frozen=True)
class DockerIo:
    """The lab's stand-in for docker.io; ``authority`` signed its certificate."""

    address: str
    control: str
    authority: Path

    def what_docker_io_saw(self) -> Traffic:
        """What reached docker.io since ``forget``."""
        seen = urllib3.request("GET", f"{self.control}/state").json()["seen"]
        requests = (
            SeenRequest(
                each["method"], each["host"], each["path"], tuple(Credential(**found) for found in each["credentials"])
            )
            for each in seen["requests"]
        )
        return Traffic(seen["connections"], tuple(requests))

    def forget(self) -> None:
        """Forget all requests and connections."""
        assert urllib3.request("POST", f"{self.control}/reset").status == 200

    @contextmanager
    def failing(self, faults: Mapping[str, Any]) -> Iterator[None]:
        """Apply faults of the stand-in for the duration of the block."""
        self._set_faults(faults)
        try:
            yield
        finally:
            self._set_faults({})

    @contextmanager
    def unreachable(self) -> Iterator[None]:
        """Drop every packet to docker.io for the duration of the block, as a firewall does."""
        _nft(DROP.format(address=self.address))
        try:
            yield
        finally:
            _nft("delete table ip docker_io")

    def _set_faults(self, faults: Mapping[str, Any]) -> None:
        assert urllib3.request("PUT", f"{self.control}/faults", json=faults).status == 200


def docker_io_of(target: TargetCluster) -> DockerIo:
    """docker.io of the lab; the target must be the lab."""
    assert target.lab is not None
    found = target.lab["docker_io"]
    return DockerIo(found["address"], found["control"], Path(found["certificate_authority"]))


def sha256(secret: str) -> str:
    """The hash by which a credential is recognized."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _nft(rules: str) -> None:
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
