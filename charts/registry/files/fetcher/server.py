"""What the front is answered: a layer as it arrives, a manifest, or where the front finds it by itself."""

import asyncio
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass

from fetcher.download import BrokenDownloadError, Download
from fetcher.layers import Layers
from fetcher.manifests import RESULT_HEADER, Manifests, unavailable
from fetcher.messages import Answer, Head, MessageError, Part, read_head, requested_part, response_head
from fetcher.referrers import Referrers

_LAYER = re.compile(r"/v2/.+/blobs/(sha256:[0-9a-f]{64})")
_MANIFEST = re.compile(r"/v2/.+/manifests/[^/]+")
_REFERRERS = re.compile(r"/v2/(.+)/referrers/(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})(?:\?(.*))?")
_TIME_FOR_HEAD = 10.0
"""Seconds: the front has the whole head before it connects."""
_PASSED_BACK = (
    "content-type",
    "docker-content-digest",
    "docker-distribution-api-version",
    "etag",
    "cache-control",
    "location",
    "retry-after",
    "www-authenticate",
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Server:
    """Serves one request per connection."""

    layers: Layers
    manifests: Manifests
    referrers: Referrers | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a connection of the front; a layer that cannot be completed ends before its announced size."""
        try:
            head = await asyncio.wait_for(read_head(reader), _TIME_FOR_HEAD)
            await self._respond(head, writer)
            if writer.can_write_eof():
                writer.write_eof()
        except (MessageError, BrokenDownloadError, TimeoutError, OSError) as error:
            _log.debug("cut off: %r", error)
            writer.transport.abort()
        finally:
            writer.close()

    async def _respond(self, head: Head, writer: asyncio.StreamWriter) -> None:
        method, path, _ = head.words
        if layer := _LAYER.fullmatch(path):
            await self._respond_layer(head, path, layer[1], writer)
        elif _MANIFEST.fullmatch(path):
            await _write(writer, await self.manifests.ask(path, head.headers), method)
        elif path == "/figures":
            await _write(writer, Answer(200, body=self.layers.metrics().encode()), method)
        elif self.referrers and (of := _REFERRERS.fullmatch(path)):
            await _write(writer, await self.referrers.ask(of[1], of[2], of[3] or ""), method)
        else:
            await _write(writer, Answer(200 if path == "/" else 404), method)

    async def _respond_layer(self, head: Head, path: str, digest: str, writer: asyncio.StreamWriter) -> None:
        if refusal := await self.layers.refusal(path, digest, head.headers):
            await _write(writer, refusal, head.words[0])
            return
        complete = self.layers.volume.has(digest)
        asked = None if complete else await self.layers.ask(path, digest, head.headers)
        match asked:
            case None:
                await _redirect(writer, digest, is_complete=complete)
            case Answer():
                await _write(writer, asked, head.words[0])
            case Download(has_failed=True, received=0):
                await _write(writer, unavailable("the registry does not send this layer"), head.words[0])
            case Download():
                await self._stream(asked, digest, head, writer)

    async def _stream(self, download: Download, digest: str, head: Head, writer: asyncio.StreamWriter) -> None:
        part = requested_part(head.headers.get("range", ""), download.size)
        if part is None:
            await _write(writer, Answer(416, {"content-range": f"bytes */{download.size}"}), head.words[0])
            return
        with self.layers.volume.open_layer(digest) as file:
            writer.write(response_head(200 if part.is_whole else 206, _layer_headers(download, part)))
            await writer.drain()
            position = part.end if head.words[0] == "HEAD" else part.start
            loop = asyncio.get_running_loop()
            while position < part.end:
                count = min(await download.beyond(position), part.end) - position
                if await loop.sendfile(writer.transport, file, position, count) < count:
                    # The layer was evicted meanwhile.
                    raise BrokenDownloadError
                position += count


def _layer_headers(download: Download, part: Part) -> Mapping[str, str]:
    headers = {name: download.headers[name] for name in _PASSED_BACK if name in download.headers}
    headers |= {"content-length": str(part.end - part.start), "accept-ranges": "bytes"}
    if not part.is_whole:
        headers["content-range"] = f"bytes {part.start}-{part.end - 1}/{part.size}"
    return headers


async def _redirect(writer: asyncio.StreamWriter, digest: str, *, is_complete: bool) -> None:
    complete = {"x-accel-redirect": f"/complete/{digest}", RESULT_HEADER: "hit"}
    await _write(writer, Answer(200, complete if is_complete else {"x-accel-redirect": "@registry"}), "GET")


async def _write(writer: asyncio.StreamWriter, answer: Answer, method: str) -> None:
    passed = {name: value for name, value in answer.headers.items() if name in (*_PASSED_BACK, *_OWN)}
    headers = passed | {"content-length": str(len(answer.body))}
    writer.write(response_head(answer.status, headers) + (b"" if method == "HEAD" else answer.body))
    await writer.drain()


_OWN = ("x-accel-redirect", "content-range", "oci-filters-applied", RESULT_HEADER)
"""Headers of answers that are not the registry's."""
