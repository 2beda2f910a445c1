"""HTTP/1.0 messages between the front, this program and the registry (RFC 9110, RFC 9112).

The front normalizes what clients send, and the registry is ours: this reads what those two write, within limits.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import responses

HEAD_LIMIT = 256 * 1024
"""Bytes of a request's or response's head; the front limits a client's headers to less."""
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class MessageError(Exception):
    """The other side closed the connection, or sent something that is not HTTP."""


@dataclass(frozen=True, slots=True)
class Head:
    """The first line of a message, split at its spaces, and its headers by lower-case name."""

    words: tuple[str, str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """A response that fits in memory."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes from ``start`` up to, not including, ``end`` of a content of ``size`` bytes."""

    start: int
    end: int
    size: int

    @property
    def is_whole(self) -> bool:
        """Whether no byte is left out."""
        return (self.start, self.end) == (0, self.size)


async def read_head(reader: asyncio.StreamReader) -> Head:
    """The head of the next message; raises MessageError. Headers of the same name become one (RFC 9110 section 5.3)."""
    try:
        text = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError) as error:
        raise MessageError("no complete head of a message") from error
    first, *lines = text.rstrip("\r\n").split("\r\n")
    words = first.split(" ", 2)
    if len(words) < 2:
        raise MessageError("not the first line of a message")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        name = name.lower()
        headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
    return Head((words[0], words[1], words[2] if len(words) > 2 else ""), headers)


def request_head(path: str, headers: Mapping[str, str], method: str = "GET", version: str = "1.0") -> bytes:
    """A request without a body; by default HTTP/1.0, because its answers are never chunked."""
    return _message(f"{method} {path} HTTP/{version}", headers)


def response_head(status: int, headers: Mapping[str, str]) -> bytes:
    """The head of a response."""
    return _message(f"HTTP/1.0 {status} {responses.get(status, 'Unknown')}", headers)


def requested_part(header: str, size: int) -> Part | None:
    """The part that a Range header requests, the whole without one; None if there is no such part.

    A header that is not one range of bytes is ignored, as RFC 9110 section 14.2 allows.
    """
    match = _RANGE.fullmatch(header.strip())
    if not match or not any(match.groups()):
        return Part(0, size, size)
    first, last = match.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    return Part(start, end, size) if start < end else None


def _message(first: str, headers: Mapping[str, str]) -> bytes:
    lines = [first, *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")
