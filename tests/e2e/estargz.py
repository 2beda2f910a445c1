"""Layers whose files can be read one by one, before the layer is there: eStargz (containerd/stargz-snapshotter)."""

import gzip
import io
import json
import struct
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

TOC = "stargz.index.json"
FOOTER_SIZE = 51
Read = Callable[[int, int], bytes]
"""Reads from the first up to, not including, the second position."""


def estargz(files: dict[str, bytes]) -> bytes:
    """A layer of regular files: the content of each is a gzip member of its own, and a table at the end says where."""
    layer, entries = b"", []
    for name, content in files.items():
        layer += gzip.compress(_header(name, content), mtime=0)
        entries.append({"name": name, "type": "reg", "size": len(content), "offset": len(layer)})
        layer += gzip.compress(_padded(content), mtime=0)
    table = json.dumps({"version": 1, "entries": entries}).encode()
    end_of_archive = bytes(1024)
    return layer + gzip.compress(_header(TOC, table) + _padded(table) + end_of_archive, mtime=0) + _footer(len(layer))


@dataclass(frozen=True)
class Table:
    """The table of a layer of ``size`` bytes, found by reading only a part of it."""

    read: Read
    size: int

    def files(self) -> dict[str, bytes]:
        """Every file, read by itself."""
        return {entry["name"]: self._content(entry) for entry in self._entries()}

    def _entries(self) -> list[dict[str, Any]]:
        end = self.size - FOOTER_SIZE
        extra = self.read(end, self.size)[16:38]
        assert extra.endswith(b"STARGZ")
        with tarfile.open(fileobj=io.BytesIO(self.read(int(extra[:16], 16), end))) as archive:
            table = archive.extractfile(TOC)
            assert table is not None
            entries: list[dict[str, Any]] = json.load(table)["entries"]
            return entries

    def _content(self, entry: dict[str, Any]) -> bytes:
        # More than it can take: the snapshotter reads ahead as well.
        end = min(self.size, entry["offset"] + entry["size"] + 1024)
        member = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(self.read(entry["offset"], end))
        return member[: entry["size"]]


def _header(name: str, content: bytes) -> bytes:
    header = tarfile.TarInfo(name)
    header.size = len(content)
    return header.tobuf(tarfile.USTAR_FORMAT)


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % tarfile.BLOCKSIZE)


def _footer(position: int) -> bytes:
    """An empty gzip member whose extra field has the position of the table (docs/estargz.md, "Footer")."""
    extra = f"{position:016x}STARGZ".encode()
    header = b"\x1f\x8b\x08\x04" + bytes(4) + b"\x00\xff" + struct.pack("<H2sH", 4 + len(extra), b"SG", len(extra))
    return header + extra + b"\x01\x00\x00\xff\xff" + bytes(8)
