"""The build cache: directories named after the content that they were made from, complete or not there at all."""

import contextlib
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

KEY_LENGTH = 16


def content_key(directory: Path, facts: Iterable[str]) -> str:
    """The name of what gets made from all files below `directory` and from `facts`: their hash."""
    digest = hashlib.sha256()
    for fact in facts:
        digest.update(f"fact {len(fact)} {fact}\n".encode())
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        content = path.read_bytes()
        digest.update(f"file {path.relative_to(directory)} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:KEY_LENGTH]


def text_key(*facts: str) -> str:
    """The name of what gets made from `facts` alone."""
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:KEY_LENGTH]


def fill(entry: Path, make: Callable[[Path], None]) -> Path:
    """Returns the directory `entry`, made by `make` if it is not there yet.

    `make` writes into a neighbour that is renamed when it is complete, so whoever is killed in between leaves no half
    entry, only a directory that the next `sweep` removes.
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
    """Removes what killed builds left; call it while holding the cache."""
    for unfinished in cache.glob("*/.unfinished-*"):
        shutil.rmtree(unfinished, ignore_errors=True)


def clean(cache: Path, names: Iterable[str]) -> None:
    """Removes what was built under `names`, and the cache itself if nothing else is in it."""
    for name in names:
        if (cache / name).exists():
            shutil.rmtree(cache / name)
    with contextlib.suppress(OSError):
        cache.rmdir()
