"""As much of a Redis server as a client with one password notices."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from socket import socket
from typing import BinaryIO


@dataclass(frozen=True)
class RedisServer:
    """Answers AUTH, PING, SELECT, SET, SCAN, DEL, DBSIZE, FLUSHALL, HEXISTS and CONFIG GET until the client goes.

    Source: the Redis serialization protocol specification (RESP2).
    """

    password: str
    pong: bytes = b"+PONG\r\n"
    stored: bytes = b"+OK\r\n"
    settings: Mapping[str, str] = field(
        default_factory=lambda: {"maxmemory": "134217728", "maxmemory-policy": "allkeys-lru"}
    )

    keys: Collection[str] = ()
    """The keys of hashes in every database; DEL and FLUSHALL need a set."""

    def __call__(self, connection: socket) -> None:
        known = False
        with connection.makefile("rb") as stream:
            while words := _command(stream):
                answer = b"-NOAUTH Authentication required.\r\n"
                if words[0] == "AUTH":
                    known = words[1] == self.password
                    answer = b"+OK\r\n" if known else b"-WRONGPASS invalid username-password pair\r\n"
                elif known and words[0] == "CONFIG":
                    answer = self._setting(words[2])
                elif known and words[0] == "SCAN":
                    answer = self._scan(words[3])
                elif known and words[0] == "HEXISTS":
                    answer = b":%d\r\n" % (words[1] in self.keys)
                elif known and words[0] in {"DEL", "DBSIZE", "FLUSHALL"}:
                    answer = self._removal(words)
                elif known and words[0] == "SELECT":
                    answer = b"+OK\r\n"
                elif known:
                    answer = self.stored if words[0] == "SET" else self.pong
                connection.sendall(answer)

    def _scan(self, pattern: str) -> bytes:
        """All keys at once, so the next cursor is 0."""
        found = [key for key in self.keys if fnmatch.fnmatchcase(key, pattern)]
        keys = "".join(f"${len(key)}\r\n{key}\r\n" for key in found)
        return f"*2\r\n$1\r\n0\r\n*{len(found)}\r\n{keys}".encode()

    def _removal(self, words: list[str]) -> bytes:
        assert isinstance(self.keys, set)
        if words[0] == "FLUSHALL":
            self.keys.clear()
            return b"+OK\r\n"
        number = len(self.keys) if words[0] == "DBSIZE" else len(self.keys & {words[1]})
        if words[0] == "DEL":
            self.keys.discard(words[1])
        return b":%d\r\n" % number

    def _setting(self, name: str) -> bytes:
        if name not in self.settings:
            return b"*0\r\n"
        value = self.settings[name]
        return f"*2\r\n${len(name)}\r\n{name}\r\n${len(value)}\r\n{value}\r\n".encode()


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
