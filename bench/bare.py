"""A bare registry on a local disk: no authentication, no TLS, no cluster."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.environment import Environment
from bench.processes import running
from bench.sides import Peer
from lab import addresses

NAME = "bare"
PUSH_ADDRESS = "127.0.0.1:5600"
CACHE_PORT = 5601


@contextmanager
def serving(env: Environment) -> Iterator[str]:
    """A registry that images are pushed to, for the duration of the block; yields its address."""
    with _registry(env, "bare", PUSH_ADDRESS, {}):
        yield PUSH_ADDRESS


@contextmanager
def caching(env: Environment) -> Iterator[Peer]:
    """A registry that caches the upstream, for the duration of the block."""
    hub = env.lab["hub"]
    proxy = {"remoteurl": hub["url"], "username": hub["username"], "password": hub["password"]}
    address = f"{addresses.NODE_ADDRESS}:{CACHE_PORT}"
    with _registry(env, "bare-cache", address, {"proxy": proxy}) as process:
        yield Peer(NAME, address, process)


@contextmanager
def _registry(env: Environment, name: str, address: str, more: dict[str, Any]) -> Iterator[int]:
    directory = env.directory / name
    directory.mkdir()
    file = directory / "config.json"
    storage = {"filesystem": {"rootdirectory": str(directory / "data")}}
    file.write_text(json.dumps({"version": 0.1, "storage": storage, "http": {"addr": address}} | more))
    with running(["registry", "serve", str(file)], f"http://{address}/v2/", directory) as process:
        yield process
