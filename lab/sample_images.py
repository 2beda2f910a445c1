"""The images of the Docker Hub stand-in: small ones, a multi-platform one, a big one, a private one, a refused one."""

import random
from dataclasses import dataclass
from pathlib import Path

from lab import cache, debian, oci
from lab.oci import Entry, Image, layout
from lab.shared_libraries import with_libraries

CACHE_NAME = "samples"
BIG_LAYER_BYTES = 20_000_000
PRIVATE = "acme/private"
"""A repository that only accounts can read."""
NAMES = ("library/demo:1", "library/big:1", "acme/tool:1", "acme/tool:2", f"{PRIVATE}:1", "outside/forbidden:1")


@dataclass(frozen=True)
class Sample:
    """An OCI image layout in the build cache."""

    name: str
    directory: Path


def all_samples(cache_directory: Path) -> list[Sample]:
    """The sample images in the build cache; created if they do not exist."""
    busybox = debian.program("busybox").stat()
    key = cache.text_key(str(oci.VERSION), Path(__file__).read_text(), str(busybox.st_size), str(busybox.st_mtime_ns))
    entry = cache.fill(cache_directory / CACHE_NAME / key, _make)
    return [Sample(name, entry / name) for name in NAMES]


def _make(target: Path) -> None:
    noise = random.Random(1).randbytes(BIG_LAYER_BYTES)  # noqa: S311 (the same incompressible bytes each time)
    images = {
        "library/demo:1": [_runnable("demo"), _empty("demo", "arm64")],
        "library/big:1": [Image((Entry("noise", noise),), {})],
        "acme/tool:1": [_empty("acme/tool:1")],
        "acme/tool:2": [_empty("acme/tool:2")],
        f"{PRIVATE}:1": [_empty(f"{PRIVATE}:1")],
        "outside/forbidden:1": [_empty("outside/forbidden:1")],
    }
    for name in NAMES:
        layout(images[name]).write_directory(target / name)


def _runnable(name: str) -> Image:
    line = f"Hello from {name}, pulled through your mirror."
    entries = (Entry("bin", mode=0o755), *with_libraries("bin/sh", debian.program("busybox")))
    return Image(entries, {"Cmd": ["/bin/sh", "-c", f"echo '{line}'"]})


def _empty(name: str, architecture: str = "amd64") -> Image:
    return Image((Entry("name", f"{name} {architecture}\n".encode()),), {"Cmd": ["/name"]}, architecture)
