"""As much of a Redis server as a client with one password notices."""

from __future__ import annotations

from dataclasses import dataclass
from socket import socket
from typing import BinaryIO


@dataclass(frozen=True)
class RedisServer:
    """Answers AUTH and PING on a connection until the client goes.

    Source: the Redis serialization protocol specification (RESP2).
    """

    password: str
    pong: bytes = b"+PONG\r\n"

    def __call__(self, connection: socket) -> None:
        known = False
        with connection.makefile("rb") as stream:
            while words := _command(stream):
                answer = b"-NOAUTH Authentication required.\r\n"
                if words[0] == "AUTH":
                    known = words[1] == self.password
                    answer = b"+OK\r\n" if known else b"-WRONGPASS invalid username-password pair\r\n"
                elif known:
                    answer = self.pong
                connection.sendall(answer)


def _command(stream: BinaryIO) -> list[str]:
    """The words of the next command; none at the end."""
    header = stream.readline()
    if not header:
        return []
    words = []
    for _ in range(int(header[1:])):
        length = int(stream.readline()[1:])
        words.append(stream.read(length).decode())
        assert stream.read(2) == b"\r\n"
    return words
