"""Exits with 0 if a running fetcher responds: ``python3 -m fetcher.probe SOCKETS``, where SOCKETS is its directory.

The kubelet starts it twice a minute, and the official image has no compiled files: what this imports costs CPU.
"""

import socket
import sys

_TIMEOUT = 5.0


def main(sockets: str) -> int:
    """Request the page that answers without the registry; returns the exit code."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_TIMEOUT)
            connection.connect(f"{sockets}/fetcher.sock")
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = connection.recv(64)
    except OSError:
        return 1
    return 0 if answer.startswith(b"HTTP/1.0 200 ") else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
