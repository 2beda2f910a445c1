"""The registry, as this program asks it."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from fetcher.figures import Figures
from fetcher.messages import HEAD_LIMIT, Answer, Head, MessageError, read_head, request_head

PASSED_ON = ("authorization", "accept", "host", "x-forwarded-proto", "x-forwarded-host", "user-agent")
"""The headers of a client that the registry reads."""
_CHUNK = 256 * 1024
"""Bytes of a layer that are read at once."""


@dataclass(frozen=True, slots=True)
class Response:
    """A response whose body is read as it arrives."""

    status: int
    headers: Mapping[str, str]
    _reader: asyncio.StreamReader
    _silence: float
    _figures: Figures

    @property
    def size(self) -> int | None:
        """The announced size of the body in bytes; None if it was not announced."""
        length = self.headers.get("content-length", "")
        return int(length) if length.isdecimal() else None

    async def chunk(self) -> bytes:
        """The next bytes of the body, none at its end; raises MessageError if the registry falls silent."""
        try:
            return await asyncio.wait_for(self._reader.read(_CHUNK), self._silence)
        except (TimeoutError, ConnectionError) as error:
            raise MessageError("the registry stopped sending") from error

    async def answer(self, limit: int) -> Answer:
        """The whole response; raises MessageError if its body is incomplete or larger than ``limit`` bytes."""
        body = b""
        while chunk := await self.chunk():
            body += chunk
            if len(body) > limit:
                raise MessageError("the body is too large")
        if self.size not in {None, len(body)}:
            raise MessageError("the body is incomplete")
        self._figures.answered(self.status, body)
        return Answer(self.status, self.headers, body)


@dataclass(frozen=True, slots=True)
class Origin:
    """The registry at a host and port; ``silence`` is how many seconds it may pause within a body."""

    host: str
    port: int
    silence: float
    figures: Figures = field(default_factory=Figures)

    @asynccontextmanager
    async def get(self, path: str, client: Mapping[str, str], patience: float) -> AsyncIterator[Response]:
        """Send a GET with what the registry reads of a client's headers.

        Raises MessageError if no response begins within ``patience`` seconds.
        """
        try:
            reader, writer = await asyncio.open_connection(self.host, self.port, limit=HEAD_LIMIT)
        except OSError as error:
            self.figures.unanswered()
            raise MessageError("the registry does not take connections") from error
        try:
            headers = {name: client[name] for name in PASSED_ON if name in client}
            writer.write(request_head(path, headers))
            began = time.monotonic()
            head = await self._head(reader, patience)
            self.figures.responded(path, time.monotonic() - began)
            if not head.words[1].isdecimal():
                raise MessageError("not a status")
            yield Response(int(head.words[1]), head.headers, reader, self.silence, self.figures)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _head(self, reader: asyncio.StreamReader, patience: float) -> Head:
        try:
            return await asyncio.wait_for(read_head(reader), patience)
        except TimeoutError as error:
            self.figures.unanswered()
            raise MessageError("the registry does not respond") from error
        except MessageError:
            self.figures.unanswered()
            raise
