"""One S3 bucket in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from uuid import uuid4

from regmirror.errors import BucketMissingError, StorageError
from regmirror.ports.object_store import Contents, StoredObject

_PAGE = 1000


class FakeStore:
    """A bucket that is there or not; ``failure`` is what every call ends with instead.

    The key may only touch what is below ``allowed``.
    """

    def __init__(self, *, exists: bool = True, failure: StorageError | None = None, allowed: str = "") -> None:
        self.allowed = allowed
        self.exists = exists
        self.failure = failure
        self.sizes: dict[str, int] = {}
        """By key: the size of an object."""
        self.contents: dict[str, bytes] = {}
        """By key: the content of an object that was written."""
        self.dates: dict[str, datetime] = {}
        """By key: when an object was written."""
        self.removing: Callable[[str], object] = lambda _: None
        """Is called with the key of every object that is to be removed."""
        self.while_probing: Callable[[], object] = lambda: None
        """Happens while a check has an object in the bucket."""
        self.uploads: dict[str, datetime] = {}
        """By key: when an upload began that was never finished."""
        self.rules: dict[str, str] = {}
        """By name of a lifecycle rule: the prefix of what it deletes."""

    def check_bucket(self) -> None:
        self._check_exists()
        key = f"{self.allowed}.regmirror-probe-{uuid4().hex}"
        self.write(key, b"regmirror")
        self.while_probing()
        if self.read(key) is None:
            raise StorageError("cannot read from the bucket: NoSuchKey")
        self.delete(key)

    def read(self, key: str) -> bytes | None:
        self._check_exists(key)
        return self.contents.get(key, b"x" * self.sizes[key]) if key in self.sizes else None

    def sha256(self, key: str) -> str | None:
        content = self.read(key)
        return None if content is None else hashlib.sha256(content).hexdigest()

    def written_at(self, key: str) -> datetime | None:
        self._check_exists(key)
        return self.dates.get(key) if key in self.sizes else None

    def write(self, key: str, content: bytes) -> None:
        self._check_exists(key)
        self.sizes[key], self.contents[key] = len(content), content
        self.dates[key] = datetime.now(UTC)

    def delete(self, key: str) -> None:
        self._check_exists(key)
        self.removing(key)
        self.sizes.pop(key, None)
        self.contents.pop(key, None)

    def _check_exists(self, key: str | None = None) -> None:
        """Raise what the store answers about a key or a prefix."""
        if self.failure:
            raise self.failure
        if key is not None and not key.startswith(self.allowed):
            raise StorageError(f"the S3 key is refused for {key}")
        if not self.exists:
            raise BucketMissingError("cannot look at the bucket: it does not exist", hint="create it")

    def create_bucket(self) -> None:
        if self.failure:
            raise self.failure
        self.exists = True

    def measure(self, prefix: str, seconds: float) -> Contents:
        """Time stands still here: only no time at all ends after the first page."""
        self._check_exists(prefix)
        sizes = [size for key, size in list(self.sizes.items()) if key.startswith(prefix)]
        counted = sizes if seconds > 0 else sizes[:_PAGE]
        return Contents(len(counted), sum(counted), len(counted) == len(sizes))

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        self._check_exists(prefix)
        for key, size in sorted(self.sizes.items()):
            if key.startswith(prefix):
                yield StoredObject(key, size, self.dates.get(key, datetime.fromtimestamp(0, UTC)))

    def count_stale_uploads(self, prefix: str, before: datetime) -> int:
        self._check_exists(prefix)
        return sum(key.startswith(prefix) and began < before for key, began in self.uploads.items())

    def rules_that_take(self, prefix: str) -> list[str]:
        self._check_exists(prefix)
        return [name for name, taken in self.rules.items() if taken.startswith(prefix) or prefix.startswith(taken)]

    def purge(self, prefix: str) -> int:
        self._check_exists(prefix)
        self.uploads = {key: began for key, began in self.uploads.items() if not key.startswith(prefix)}
        found = [key for key in self.sizes if key.startswith(prefix)][:_PAGE]
        for key in found:
            self.delete(key)
        return len(found)
