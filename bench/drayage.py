"""drayage, another pull-through cache, from PyPI: no tokens for clients, no TLS, on a local disk."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.environment import Environment
from bench.processes import running
from bench.sides import Peer
from lab import addresses, build
from lab.components import DRAYAGE
from lab.instance import Instance

NAME = DRAYAGE.name
PORT = 5602
TAG_SECONDS = 5
"""How long it serves a tag without asking the upstream again: as long as the mirror by default."""


def fetch() -> Path:
    """The program in the lab's build cache; downloaded if it is not there, which is not possible inside the lab."""
    return build.published(DRAYAGE, Instance.from_environment().cache)[NAME]


@contextmanager
def caching(env: Environment) -> Iterator[Peer]:
    """A drayage that caches the upstream, for the duration of the block."""
    directory = env.directory / NAME
    (directory / "data").mkdir(parents=True)
    address = f"{addresses.NODE_ADDRESS}:{PORT}"
    file = directory / "config.toml"
    file.write_text(_configuration(env, address, directory))
    with running([str(fetch()), "serve", "--config", str(file)], f"http://{address}/v2/", directory) as process:
        yield Peer(NAME, address, process)


def _configuration(env: Environment, address: str, directory: Path) -> str:
    hub = env.lab["hub"]
    settings = {"listen": address, "cache_dir": str(directory / "data"), "manifest_ttl_seconds": TAG_SECONDS}
    upstream = {"registry": hub["url"], "username": hub["username"], "password": hub["password"]}
    return f"{_lines(settings)}\n[upstreams.docker_io]\n{_lines(upstream)}"


def _lines(settings: Mapping[str, object]) -> str:
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
