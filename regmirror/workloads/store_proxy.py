"""An HTTP proxy to one host. It runs in a pod, from its source text, with nothing but Python's standard library.

``python3 store_proxy.py HOST PORT LISTEN`` exits with 1 and a line that says why if this machine cannot connect to the
host; otherwise it prints READY and serves on the loopback interface.
"""

import asyncio
import sys
from contextlib import suppress
from urllib.parse import urlsplit

READY = "ready"
CONNECT_TIMEOUT = 10.0
_CHUNK = 2**16


async def main(host: str, port: int, listen: int) -> None:
    """Serve until the process ends; raises OSError if the host cannot be reached."""
    _, probe = await _open(host, port)
    probe.close()
    proxy = Proxy(host)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", listen)
    print(READY, flush=True)  # noqa: T201 - its only output
    await server.serve_forever()


class Proxy:
    """Passes requests to a host and the names below it, which are its buckets; all others are refused."""

    def __init__(self, host: str) -> None:
        self._host = host

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection: one request, or all that follow CONNECT."""
        with suppress(OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = await reader.readuntil(b"\r\n\r\n")
            line, _, headers = head.partition(b"\r\n")
            method, target, version = line.decode("ascii").split(" ")
            is_tunnel = method == "CONNECT"
            parts = urlsplit(f"//{target}" if is_tunnel else target)
            if not self._is_allowed(parts.hostname or ""):
                raise ValueError(target)
            upstream_reader, upstream = await _open(parts.hostname or "", parts.port or 80)
            if is_tunnel:
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            else:
                # Without Connection: close, the next request on this connection might be for another host.
                path = target.split("/", 3)[3] if target.count("/") > 2 else ""
                upstream.write(f"{method} /{path} {version}\r\nConnection: close\r\n".encode() + headers)
            await asyncio.gather(_copy(reader, upstream), _copy(upstream_reader, writer))
        writer.close()

    def _is_allowed(self, host: str) -> bool:
        return host == self._host or host.endswith(f".{self._host}")


async def _open(host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.wait_for(asyncio.open_connection(host, port), CONNECT_TIMEOUT)


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(_CHUNK):
            target.write(data)
            await target.drain()
    target.close()


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
    except OSError as failed:
        sys.exit(str(failed) or type(failed).__name__)
