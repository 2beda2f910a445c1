"""Runs until it is stopped: ``python3 -m fetcher --help`` lists the settings."""

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from fetcher.integrity import check_always, check_left
from fetcher.layers import Layers
from fetcher.manifests import Manifests
from fetcher.messages import HEAD_LIMIT, MessageError, read_head, request_head
from fetcher.origin import Origin
from fetcher.server import Server
from fetcher.uses import Uses
from fetcher.volume import Volume

_SILENCE = 300.0
"""Seconds without a byte after which a download has failed."""
_PACE = 8 * 1024 * 1024
"""Bytes per second that are read to find layers that have changed on the disk."""


def main() -> int:
    """Parse the arguments, then serve or probe; the result is the exit code."""
    parser = argparse.ArgumentParser(prog="fetcher", description=__doc__)
    commands = parser.add_subparsers(required=True)
    serve = commands.add_parser("serve", help="serve the front")
    serve.set_defaults(run=_serve)
    serve.add_argument("sockets", type=Path, help="directory of the sockets that the front uses")
    serve.add_argument("directory", type=Path, help="where layers are kept")
    serve.add_argument("--size", type=int, required=True, help="bytes of layers to keep; 0 keeps none")
    serve.add_argument("--registry-port", type=int, required=True, help="port of the registry on this host")
    probe = commands.add_parser("probe", help="fail unless a running fetcher responds")
    probe.set_defaults(run=_probe)
    probe.add_argument("sockets", type=Path, help="directory of its sockets")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    result: int = asyncio.run(arguments.run(arguments))
    return result


async def _serve(arguments: argparse.Namespace) -> int:
    sockets: Path = arguments.sockets
    for name in ("fetcher.sock", "uses.sock"):
        (sockets / name).unlink(missing_ok=True)
    volume = Volume(arguments.directory, arguments.size)
    left = volume.open()
    origin = Origin("127.0.0.1", arguments.registry_port, _SILENCE)
    server = Server(Layers(volume, origin), Manifests(origin))
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


async def _probe(arguments: argparse.Namespace) -> int:
    socket = str(arguments.sockets / "fetcher.sock")
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_unix_connection(socket), 5)
        writer.write(request_head("/", {}))
        head = await asyncio.wait_for(read_head(reader), 5)
        writer.close()
    except (MessageError, OSError, TimeoutError):
        return 1
    return 0 if head.words[1] == "200" else 1


if __name__ == "__main__":
    sys.exit(main())
