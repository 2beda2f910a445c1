"""Learns from the front's access log which layers are in use."""

import asyncio
import re
import socket

from fetcher.volume import Volume

_DIGEST = re.compile(rb"sha256:[0-9a-f]{64}")


class Uses(asyncio.DatagramProtocol):
    """Receives one datagram in syslog format (RFC 3164) for each layer that the front serves by itself."""

    FAMILY = socket.AF_UNIX

    def __init__(self, volume: Volume) -> None:
        self._volume = volume

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - the protocol of asyncio
        """A layer was served."""
        if match := _DIGEST.search(data):
            self._volume.touch(match[0].decode())
