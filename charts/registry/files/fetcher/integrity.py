"""Reads layers again: those of an earlier process before they are served, and all of them from time to time."""

import asyncio
import hashlib
import logging
from pathlib import Path

from fetcher.volume import Volume

_READ = 1024 * 1024
_PAUSE = 60.0
"""Seconds before the next round, at least."""

_log = logging.getLogger(__name__)


async def check_left(volume: Volume, left: tuple[str, ...]) -> None:
    """Readmit the layers that an earlier process has left and that are intact; drop the others."""
    for digest in left:
        if await is_intact(volume.path("left", digest), digest):
            volume.readmit(digest)
        else:
            _log.warning("%s: left incomplete by an earlier process: dropped", digest)
            volume.drop(digest)


async def check_always(volume: Volume, pace: float) -> None:
    """Read every complete layer again, ``pace`` bytes per second, and evict those that have changed on the disk."""
    while True:
        for digest in volume.digests():
            intact = not volume.has(digest) or await is_intact(volume.path("complete", digest), digest, pace)
            if not intact and volume.has(digest):
                _log.error("%s: changed on the disk: evicted", digest)
                volume.evict(digest)
        await asyncio.sleep(_PAUSE)


async def is_intact(file: Path, digest: str, pace: float = 0) -> bool:
    """Whether a file has the content of its digest; ``pace`` limits the reading to so many bytes per second."""
    content = hashlib.sha256()
    try:
        with file.open("rb", buffering=0) as opened:
            while chunk := await asyncio.to_thread(opened.read, _READ):
                content.update(chunk)
                await asyncio.sleep(len(chunk) / pace if pace else 0)
    except OSError:
        return False
    return f"sha256:{content.hexdigest()}" == digest
