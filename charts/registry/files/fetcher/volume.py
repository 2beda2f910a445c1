"""The layers on the volume: complete ones by digest, least recently used first, and the room that is left."""

import io
import os
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_STATES = ("partial", "complete", "left")


@dataclass(slots=True)
class Volume:
    """At most ``size`` bytes of layers below ``directory``. The front serves what is in ``complete/`` by itself.

    A layer is in ``partial/`` until its digest has been verified. Room is reserved before a byte is written, so that
    the files never exceed the size; an evicted file is truncated, because a slow client may still have it open.
    """

    directory: Path
    size: int
    evictions: int = 0
    """Complete layers that were removed since the start."""
    _complete: OrderedDict[str, int] = field(default_factory=OrderedDict)
    _left: dict[str, int] = field(default_factory=dict)
    _reserved: int = 0

    def open(self) -> tuple[str, ...]:
        """Create the directories; return the layers that an earlier process left, which are served after a check."""
        for state in _STATES:
            (self.directory / state).mkdir(exist_ok=True)
        for file in [*(self.directory / "partial").iterdir(), *(self.directory / "left").iterdir()]:
            _discard(file)
        left = sorted((self.directory / "complete").iterdir(), key=lambda file: file.stat().st_mtime)
        for file in left:
            file.rename(self.path("left", file.name))
            self._left[file.name] = file_size = self.path("left", file.name).stat().st_size
            if self.used > self.size or not file_size:
                self.drop(file.name)
        return tuple(self._left)

    @property
    def used(self) -> int:
        """Bytes that layers and reservations take."""
        return self._reserved + sum(self._complete.values()) + sum(self._left.values())

    @property
    def free(self) -> int:
        """Free bytes of the disk."""
        disk = os.statvfs(self.directory)
        return disk.f_bavail * disk.f_frsize

    def path(self, state: str, digest: str) -> Path:
        """The file of a layer that is ``partial``, ``complete``, or ``left`` by an earlier process."""
        return self.directory / state / digest

    def has(self, digest: str) -> bool:
        """Whether the layer is complete."""
        return digest in self._complete

    def digests(self) -> tuple[str, ...]:
        """The complete layers, the least recently used first."""
        return tuple(self._complete)

    def touch(self, digest: str) -> None:
        """A client has asked for a layer."""
        if digest in self._complete:
            self._complete.move_to_end(digest)

    def reserve(self, size: int) -> bool:
        """Make room, by evicting the least recently used layers; False, and nothing is evicted, if there is none."""
        excess = self.used + size - self.size
        if excess > sum(self._complete.values()):
            return False
        while excess > 0:
            oldest, freed = next(iter(self._complete.items()))
            self.evict(oldest)
            excess -= freed
        self._reserved += size
        return True

    def create(self, digest: str) -> io.FileIO:
        """The file of a layer whose room is reserved, to be written."""
        return self.path("partial", digest).open("wb", buffering=0)

    def admit(self, digest: str, size: int) -> None:
        """A partial layer is complete and verified: its reservation becomes a layer."""
        self.path("partial", digest).rename(self.path("complete", digest))
        self._reserved -= size
        self._complete[digest] = size

    def abandon(self, digest: str, size: int) -> None:
        """A partial layer will not be complete: give its room back."""
        _discard(self.path("partial", digest))
        self._reserved -= size

    def readmit(self, digest: str) -> None:
        """A layer that an earlier process left is intact."""
        if self.has(digest):
            self.drop(digest)
        else:
            self.path("left", digest).rename(self.path("complete", digest))
            self._complete[digest] = self._left.pop(digest)

    def drop(self, digest: str) -> None:
        """A layer that an earlier process left is not needed."""
        self._left.pop(digest)
        _discard(self.path("left", digest))

    def open_layer(self, digest: str) -> io.FileIO:
        """The file of a layer that is on its way or complete; raises OSError if it is neither."""
        return self.path("complete" if self.has(digest) else "partial", digest).open("rb", buffering=0)

    def evict(self, digest: str) -> None:
        """Remove a complete layer; a download of it in progress is cut off."""
        self._complete.pop(digest)
        self.evictions += 1
        _discard(self.path("complete", digest))


def _discard(file: Path) -> None:
    with suppress(FileNotFoundError):
        os.truncate(file, 0)
        file.unlink()
