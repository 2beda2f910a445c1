"""The upstream: the lab's stand-in for Docker Hub, which gets new images, a slow line and faults, and counts."""

import json
import os
import random
import tarfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from bench.environment import Environment
from lab import addresses

TAG = "1"
UNAUTHORIZED = 401


@dataclass(frozen=True)
class NewImage:
    """An image that nobody has pulled yet; its layers begin with those of its base."""

    repository: str
    digest: str
    layers: tuple[str, ...]

    @property
    def name(self) -> str:
        """The repository and the tag."""
        return f"{self.repository}:{TAG}"


@dataclass(frozen=True)
class Counts:
    """What the upstream has answered: bytes of layers, and requests."""

    layer_bytes: int
    requests: Sequence[dict[str, Any]]

    def of(self, kind: str, method: str) -> int:
        """The number of requests of a kind, except those that were answered with 401."""
        wanted = (found for found in self.requests if (found["kind"], found["method"]) == (kind, method))
        return sum(found["count"] for found in wanted if found["status"] != UNAUTHORIZED)


def offer(env: Environment, size: int, base: NewImage | None = None) -> NewImage:
    """Push a new image with one incompressible layer of this size, on top of those of the base."""
    repository = f"library/new-{random.randrange(10**12)}"  # noqa: S311 - unique, not secret
    file = env.directory / "layer.tar"
    _write_layer(file, size)
    target = f"{addresses.HUB_STORAGE}/{repository}:{TAG}"
    below = f"--base={addresses.HUB_STORAGE}/{base.name}" if base else "--oci-empty-base"
    env.run(["crane", "append", "--insecure", below, f"--new_layer={file}", f"--new_tag={target}"])
    return existing(env, repository)


def existing(env: Environment, repository: str) -> NewImage:
    """An image that the upstream has."""
    reference = f"{addresses.HUB_STORAGE}/{repository}:{TAG}"
    manifest = json.loads(env.run(["crane", "manifest", "--insecure", reference]))
    digest = env.run(["crane", "digest", "--insecure", reference]).strip()
    return NewImage(repository, digest, tuple(layer["digest"] for layer in manifest["layers"]))


def pull(env: Environment, url: str, image: NewImage) -> None:
    """Pull all of an image from the registry at a URL; raises LabError."""
    scheme, _, host = url.partition("://")
    options = ["--insecure"] if scheme == "http" else []
    env.run(["crane", "pull", *options, f"{host}/{image.name}", os.devnull])


@contextmanager
def line(env: Environment, bytes_per_second: int, *, shared: bool = True) -> Iterator[None]:
    """For the duration of the block, send layers at this speed: all together, or each of them; 0 is no limit."""
    slow = {"mode": "slow", "bytes_per_second": bytes_per_second, "shared": shared, "only": "blobs"}
    with fault(env, slow if bytes_per_second else {}):
        yield


@contextmanager
def refusing(env: Environment, status: int) -> Iterator[None]:
    """For the duration of the block, answer requests for manifests with this status."""
    with fault(env, {"mode": "status", "status": status, "only": "manifests"}):
        yield


@contextmanager
def fault(env: Environment, registry: dict[str, Any]) -> Iterator[None]:
    """For the duration of the block, the registry of the stand-in has this fault."""
    _control(env, "PUT", "faults", {"registry": registry})
    try:
        yield
    finally:
        _control(env, "PUT", "faults", {})


def reset(env: Environment) -> None:
    """Start to count from zero."""
    _control(env, "POST", "reset", {})


def counts(env: Environment) -> Counts:
    """What was counted since the last reset."""
    with urllib.request.urlopen(f"{env.lab['hub']['control']}/state", timeout=5) as answer:  # noqa: S310 - the lab's own
        state = json.load(answer)
    return Counts(state["bytes"].get("blobs", 0), state["requests"])


def _control(env: Environment, method: str, path: str, content: Any) -> None:
    url = f"{env.lab['hub']['control']}/{path}"
    request = urllib.request.Request(url, json.dumps(content).encode(), method=method)  # noqa: S310 - the lab's own
    urllib.request.urlopen(request, timeout=5).close()  # noqa: S310 - the lab's own


def _write_layer(file: Path, size: int) -> None:
    with tarfile.open(file, "w") as archive:
        entry = tarfile.TarInfo("noise")
        entry.size = size
        archive.addfile(entry, BytesIO(random.randbytes(size)))  # noqa: S311 - noise
