"""Creates OCI image layouts from files, reproducibly and without a container engine.

See the OCI image specification: image-layout.md, manifest.md, config.md, layer.md.
"""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIGURATION = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
# Programs compress poorly, and an image is unpacked only once, on the same machine.
COMPRESSION = 1
# Increment this whenever the same files result in a different layout.
VERSION = 1


@dataclass(frozen=True)
class Entry:
    """A path in an image: a file with `content`, a symbolic link to `target`, or a directory if both are None."""

    path: str
    content: bytes | None = None
    target: str | None = None
    mode: int = 0o644


@dataclass(frozen=True)
class Image:
    """A single-platform image; `settings` are Entrypoint, Cmd, Env and so on of its configuration.

    It has one layer of `entries`, above those of `lower`, the lowest first. If several entries of a layer have the same
    path, the last one is used.
    """

    entries: tuple[Entry, ...]
    settings: dict[str, Any]
    architecture: str = "amd64"
    lower: tuple[tuple[Entry, ...], ...] = ()

    @property
    def layers(self) -> tuple[tuple[Entry, ...], ...]:
        """All layers, the lowest first."""
        return (*self.lower, self.entries)


@dataclass(frozen=True)
class Layout:
    """An OCI image layout in memory; `digest` is the digest of its manifest, or of its multi-platform index."""

    files: dict[str, bytes] = field(repr=False)
    digest: str

    def write_directory(self, directory: Path) -> None:
        """Writes the layout as a directory."""
        for name, content in self.files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def write_archive(self, path: Path) -> None:
        """Writes the layout as a tar file."""
        path.write_bytes(_tar([Entry(name, content) for name, content in sorted(self.files.items())]))


def fingerprint(image: Image) -> str:
    """A hash of an image's content, much faster to compute than its layout."""
    digest = hashlib.sha256(repr((VERSION, image.settings, image.architecture)).encode())
    for entry in (entry for layer in image.layers for entry in layer):
        content = hashlib.sha256(entry.content).hexdigest() if entry.content is not None else None
        digest.update(repr((entry.path, content, entry.target, entry.mode)).encode())
    return digest.hexdigest()


def layout(images: Sequence[Image], name: str = "") -> Layout:
    """The layout of one image, or of an index of several; `name` is the reference for containerd."""
    files: dict[str, bytes] = {}
    manifests = [_add_image(files, image) for image in images]
    top = manifests[0] if len(manifests) == 1 else _add(files, INDEX, _json(_index(manifests)))
    annotations = {"annotations": {"io.containerd.image.name": name}} if name else {}
    files["oci-layout"] = _json({"imageLayoutVersion": "1.0.0"})
    files["index.json"] = _json(_index([{**top, **annotations}]))
    return Layout(files, top["digest"])


def _index(manifests: list[dict[str, Any]]) -> dict[str, Any]:
    return {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}


def _add_image(files: dict[str, bytes], image: Image) -> dict[str, Any]:
    unpacked = [_tar(list({entry.path: entry for entry in layer}.values())) for layer in image.layers]
    layers = [_add(files, LAYER, gzip.compress(layer, COMPRESSION, mtime=0)) for layer in unpacked]
    platform = {"architecture": image.architecture, "os": "linux"}
    configuration = {
        **platform,
        "config": image.settings,
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer) for layer in unpacked]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _add(files, CONFIGURATION, _json(configuration)),
        "layers": layers,
    }
    return {**_add(files, MANIFEST, _json(manifest)), "platform": platform}


def _add(files: dict[str, bytes], media_type: str, content: bytes) -> dict[str, Any]:
    digest = _digest(content)
    files[f"blobs/{digest.replace(':', '/')}"] = content
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _json(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _tar(entries: Sequence[Entry]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for entry in entries:
            header = tarfile.TarInfo(entry.path)
            header.mode = entry.mode
            if entry.content is not None:
                header.size = len(entry.content)
            elif entry.target is not None:
                header.type, header.linkname, header.mode = tarfile.SYMTYPE, entry.target, 0o777
            else:
                header.type = tarfile.DIRTYPE
            archive.addfile(header, io.BytesIO(entry.content or b""))
    return buffer.getvalue()
