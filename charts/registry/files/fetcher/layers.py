"""Downloads each layer once, however many clients ask for it, and keeps it if its digest is right."""

import asyncio
import hashlib
import io
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from fetcher.download import BrokenDownloadError, Download
from fetcher.membership import Membership
from fetcher.messages import Answer, MessageError
from fetcher.origin import Origin, Response
from fetcher.recent import Recent
from fetcher.volume import Volume

_ERROR_LIMIT = 64 * 1024
"""Bytes of the registry's error documents."""
_PATIENCE = 120.0
"""Seconds until the registry must respond: it asks the object store and the upstream before."""
_PASSED_BY = 60.0
"""Seconds for which a layer that does not fit is left to the registry without another attempt."""
_ABSENT = 2.0
"""Seconds for which a layer that a repository does not have is not asked for again."""
_REMEMBERED = 4096
"""Digests or paths about which one of the above is remembered."""
_DOWNLOADS = 32
"""Downloads at a time: the registry holds 10 to 20 MiB for each until it is complete."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Layers:
    """The layers of one upstream. A layer has the same content in every repository, so its digest identifies it."""

    volume: Volume
    origin: Origin
    membership: Membership | None = None
    """None if every client that may pull anything may have every layer."""
    _running: dict[str, Download] = field(default_factory=dict)
    _passed_by: Recent[bool] = field(default_factory=lambda: Recent(_PASSED_BY, _REMEMBERED))
    _absent: Recent[Answer] = field(default_factory=lambda: Recent(_ABSENT, _REMEMBERED))
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_DOWNLOADS))
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def refusal(self, path: str, digest: str, client: Mapping[str, str]) -> Answer | None:
        """None if the layer may be served under this path, although another path may have brought it."""
        if self.membership is None or not (self.volume.has(digest) or digest in self._running):
            return None
        return await self.membership.refusal(path, client)

    async def ask(self, path: str, digest: str, client: Mapping[str, str]) -> Download | Answer | None:
        """The download of a layer that is not complete, or the registry's refusal.

        None if the registry must serve the layer itself: it does not fit, or has just been completed and evicted.
        Another path's refusal is no answer: that repository may lack what this one has.
        """
        while not self._passed_by.get(digest):
            if absent := self._absent.get(path):
                return absent
            download = self._running.get(digest)
            is_first = download is None
            if download is None:
                download = self._running[digest] = Download(path)
                task = asyncio.create_task(self._run(download, digest, client))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            with self.origin.figures.waiting(path):
                await download.begun.wait()
            if download.refusal is None and not is_first:
                self.origin.figures.shared(path)
            if download.refusal is None:
                return None if download.is_passed_by else download
            if is_first or (download.path == path and download.refusal.status not in {401, 403}):
                return download.refusal
        return None

    def metrics(self) -> str:
        """What the fetcher counts, in the text format of Prometheus."""
        lines = self.origin.figures.lines(
            layer_downloads_in_flight=len(self._running),
            layer_cache_bytes=self.volume.used,
            layer_cache_limit_bytes=self.volume.size,
            layer_cache_layers=len(self.volume.digests()),
            layer_cache_evictions_total=self.volume.evictions,
            layer_volume_free_bytes=self.volume.free,
        )
        return "".join(f"{line}\n" for line in lines)

    async def _run(self, download: Download, digest: str, client: Mapping[str, str]) -> None:
        try:
            async with self._slots, self.origin.get(download.path, client, _PATIENCE) as response:
                if response.status != 200:
                    self._refuse(download, await response.answer(_ERROR_LIMIT))
                    return
                if self.membership:
                    self.membership.confirm(download.path)
                if response.size is None or not self.volume.reserve(response.size):
                    self._pass_by(download, digest)
                else:
                    await self._receive(download, digest, response, response.size)
        except MessageError as error:
            _log.warning("%s: %s", digest, error)
        except OSError as error:
            _log.error("%s: cannot be written: %s", digest, error)
            self._pass_by(download, digest)
        except BrokenDownloadError:
            _log.error("%s: the registry sent other bytes than the digest says: not kept", digest)
        finally:
            self._running.pop(digest)
            if not download.is_complete:
                download.fail()

    def _refuse(self, download: Download, answer: Answer) -> None:
        download.refusal = answer
        if answer.status == 404:
            self._absent.put(download.path, answer)

    def _pass_by(self, download: Download, digest: str) -> None:
        self._passed_by.put(digest, True)
        download.is_passed_by = True

    async def _receive(self, download: Download, digest: str, response: Response, size: int) -> None:
        content = hashlib.sha256()
        try:
            with self.volume.create(digest) as file:
                download.begin(size, response.headers)
                while (chunk := await response.chunk()) and download.received + len(chunk) <= size:
                    content.update(chunk)
                    await asyncio.to_thread(_write, file, chunk)
                    download.grow(len(chunk))
            if chunk or download.received < size:
                raise MessageError("the layer is longer or shorter than announced")
            if f"sha256:{content.hexdigest()}" != digest:
                raise BrokenDownloadError
        except BaseException:
            self.volume.abandon(digest, size)
            raise
        self.volume.admit(digest, size)
        download.complete()


def _write(file: io.FileIO, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[file.write(rest) :]
