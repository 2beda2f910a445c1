"""What regmirror needs from the S3 service."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Contents:
    """The number and size of objects; at least this much if ``complete`` is false."""

    objects: int
    size: int
    """In bytes."""
    complete: bool = True


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as a listing shows it."""

    key: str
    size: int
    """In bytes."""
    written: datetime
    """When it was written last."""


class ObjectStore(Protocol):
    """One bucket. Every method raises StorageError (or a subclass) if the service refuses or fails."""

    def check_bucket(self) -> None:
        """Check that the bucket exists and that objects can be written, read, listed and deleted.

        Any number of checks may run at the same time. Leaves nothing behind. Raises BucketMissingError,
        StorageUnreachableError, or StorageError.
        """

    def read(self, key: str) -> bytes | None:
        """The content of a small object; None if it does not exist."""

    def sha256(self, key: str) -> str | None:
        """The digest of an object of any size in hexadecimal, read piece by piece; None if it does not exist."""

    def written_at(self, key: str) -> datetime | None:
        """When an object was written last; None if it does not exist."""

    def write(self, key: str, content: bytes) -> None:
        """Create or replace an object."""

    def delete(self, key: str) -> None:
        """Delete one object; a missing one is fine."""

    def create_bucket(self) -> None:
        """Create the bucket; an existing one of the same account is fine."""

    def measure(self, prefix: str, seconds: float) -> Contents:
        """Count the objects whose keys begin with ``prefix``, page by page, for at most ``seconds``."""

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """The objects whose keys begin with ``prefix``, in the order of their keys.

        A page is requested when the iteration reaches it, so a caller that stops early has read no more than one page
        too many.
        """

    def count_stale_uploads(self, prefix: str, before: datetime) -> int:
        """The number of multipart uploads under ``prefix`` that began before a time and never ended; at most 1000."""

    def rules_that_take(self, prefix: str) -> list[str]:
        """The names of the bucket's lifecycle rules that delete or archive objects below ``prefix`` by their age.

        Empty if the service has no such rules.
        """

    def purge(self, prefix: str) -> int:
        """Delete unfinished uploads and up to 1000 objects whose keys begin with ``prefix``; 0 when none is left.

        Raises StorageError, naming an object that could not be deleted.
        """
