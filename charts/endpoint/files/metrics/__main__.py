"""Runs until it is stopped: ``python3 -m metrics --help`` lists the settings."""

import argparse
import asyncio
import logging
import signal
import socket
import sys
from pathlib import Path

from metrics.collect import Collector, Settings
from metrics.server import HEAD_LIMIT, Server
from metrics.table import Pod

_PAUSE = 1.0
"""Seconds between two looks at the log: at 12,000 requests per second, half a megabyte."""

_log = logging.getLogger(__name__)


def main() -> int:
    """Parse the arguments, then serve; the result is the exit code."""
    parser = argparse.ArgumentParser(prog="metrics", description=__doc__)
    parser.add_argument("pod", type=Pod, choices=list(Pod), help="the kind of pod")
    parser.add_argument("--port", type=int, required=True, help="the scrape port")
    parser.add_argument("--version-file", type=Path, required=True, help="file with the version of the chart")
    parser.add_argument(
        "--request-log", type=Path, required=True, help="file with a line for each request of the front"
    )
    parser.add_argument("--upstream", default="", help="value of the label upstream")
    parser.add_argument("--registry-port", type=int, help="debug port of the registry on this host")
    parser.add_argument("--fetcher-socket", type=Path, help="socket of the fetcher")
    parser.add_argument("--certificate", type=Path, help="file with the signing certificate")
    parser.add_argument("--verification", type=Path, help="directory with metrics of the last verification")
    arguments = vars(parser.parse_args())
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    port = arguments.pop("port")
    asyncio.run(_run(port, Settings(**arguments)))
    return 0


async def _run(port: int, settings: Settings) -> None:
    collector = Collector(settings)
    listener = _listener(port)
    server = await asyncio.start_server(Server(collector).serve, sock=listener, limit=HEAD_LIMIT)
    counting = asyncio.create_task(_count_always(collector))
    # The first process of a container gets no signal that it does not handle.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, counting.cancel)
    async with server:
        await asyncio.wait([counting])


def _listener(port: int) -> socket.socket:
    """For IPv6 and IPv4, or for the one that the node has."""
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", port))


async def _count_always(collector: Collector) -> None:
    """A pod whose metrics container ends gets no traffic, so nothing that the front writes may end it."""
    problem = ""
    while True:
        try:
            collector.count_requests()
        except Exception as error:
            if repr(error) != problem:
                _log.exception("cannot count requests")
            problem = repr(error)
        await asyncio.sleep(_PAUSE)


if __name__ == "__main__":
    sys.exit(main())
