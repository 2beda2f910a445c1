"""Runs until it is stopped: ``python3 -m fetcher --help`` lists the settings."""

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path

from fetcher.account import Account
from fetcher.integrity import check_always, check_left
from fetcher.layers import Layers
from fetcher.manifests import Manifests
from fetcher.membership import Membership
from fetcher.messages import HEAD_LIMIT
from fetcher.origin import Origin
from fetcher.referrers import Referrers
from fetcher.server import Server
from fetcher.upstream import Upstream
from fetcher.uses import Uses
from fetcher.volume import Volume
from fetcher.way_out import way_out

_SILENCE = 300.0
"""Seconds without a byte after which a download has failed."""
_PACE = 8 * 1024 * 1024
"""Bytes per second that are read to find layers that have changed on the disk."""


def main() -> int:
    """Parse the arguments, then serve; the result is the exit code."""
    parser = argparse.ArgumentParser(prog="fetcher", description=__doc__)
    parser.add_argument("sockets", type=Path, help="directory of the sockets that the front uses")
    parser.add_argument("directory", type=Path, help="where layers are kept")
    parser.add_argument("--size", type=int, required=True, help="bytes of layers to keep; 0 keeps none")
    parser.add_argument("--registry-port", type=int, required=True, help="port of the registry on this host")
    parser.add_argument("--upstream", default="", help="URL of the upstream; empty: referrers are not served")
    parser.add_argument("--credential-helper", default="", help="program that prints the account at the upstream")
    parser.add_argument("--ca", type=Path, default=Path(), help="additional certificates, if the file exists")
    parser.add_argument("--proxy", type=Path, default=Path(), help="file with the URL of the proxy, if it exists")
    sharing = "whether a repository serves layers that others have brought, without a confirmation that it has them"
    parser.add_argument("--layers", choices=("shared", "separate"), default="shared", help=sharing)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    result: int = asyncio.run(_serve(arguments))
    return result


async def _serve(arguments: argparse.Namespace) -> int:
    sockets: Path = arguments.sockets
    for name in ("fetcher.sock", "uses.sock"):
        (sockets / name).unlink(missing_ok=True)
    volume = Volume(arguments.directory, arguments.size)
    left = volume.open()
    server = _server(arguments, volume, Origin("127.0.0.1", arguments.registry_port, _SILENCE))
    await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Uses(volume), local_addr=str(sockets / "uses.sock"), family=Uses.FAMILY
    )
    listening = await asyncio.start_unix_server(
        server.serve, str(sockets / "fetcher.sock"), limit=HEAD_LIMIT, backlog=4096
    )
    async with listening, asyncio.TaskGroup() as tasks:
        tasks.create_task(listening.serve_forever())
        await check_left(volume, left)
        tasks.create_task(check_always(volume, _PACE))
    return 0


def _server(arguments: argparse.Namespace, volume: Volume, origin: Origin) -> Server:
    way = way_out(arguments.ca, arguments.proxy, os.environ.get("NO_PROXY", ""))
    upstream = Upstream(arguments.upstream, Account(arguments.credential_helper), way) if arguments.upstream else None
    membership = Membership(origin, upstream) if arguments.layers == "separate" else None
    referrers = Referrers(upstream) if upstream else None
    return Server(Layers(volume, origin, membership), Manifests(origin), referrers)


if __name__ == "__main__":
    sys.exit(main())
