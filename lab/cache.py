"""The build cache: directories named after a hash of their sources, either complete or absent."""

import contextlib
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

KEY_LENGTH = 16


def content_key(directory: Path, facts: Iterable[str]) -> str:
    """The cache key of what is built from all files below `directory` and from `facts`: their hash."""
    digest = hashlib.sha256()
    for fact in facts:
        digest.update(f"fact {len(fact)} {fact}\n".encode())
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        content = path.read_bytes()
        digest.update(f"file {path.relative_to(directory)} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:KEY_LENGTH]


def text_key(*facts: str) -> str:
    """The cache key of what is built only from `facts`: their hash."""
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:KEY_LENGTH]


def fill(entry: Path, make: Callable[[Path], None]) -> Path:
    """Returns the directory `entry`; calls `make` to create it if it does not exist.

    `make` writes to a temporary directory that is renamed when it is complete. A killed build leaves no partial entry,
    only a temporary directory that the next `sweep` removes.
    """
    if not entry.is_dir():
        entry.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=entry.parent))
        try:
            make(unfinished)
            unfinished.chmod(0o755)
            unfinished.rename(entry)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return entry


def sweep(cache: Path) -> None:
    """Removes what killed builds have left; the caller must hold the lock of the cache."""
    for unfinished in cache.glob("*/.unfinished-*"):
        shutil.rmtree(unfinished, ignore_errors=True)


def clean(cache: Path, names: Iterable[str]) -> None:
    """Removes the entries of `names`, and the cache itself if it is then empty."""
    for name in names:
        if (cache / name).exists():
            shutil.rmtree(cache / name)
    with contextlib.suppress(OSError):
        cache.rmdir()
