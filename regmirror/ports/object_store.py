"""What regmirror asks of the S3 service."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Contents:
    """What was counted of a bucket; where ``complete`` is false, there is at least this much."""

    objects: int
    size: int
    """In bytes."""
    complete: bool = True


class ObjectStore(Protocol):
    """One bucket. Every method raises StorageError (or a subclass of it) when the service refuses or fails."""

    def check_bucket(self) -> None:
        """Prove that the bucket exists and that objects can be written, read, listed and deleted.

        Leaves nothing behind. Raises BucketMissingError, StorageUnreachableError, or StorageError.
        """

    def create_bucket(self) -> None:
        """Create the bucket; an existing one of the same account is fine."""

    def measure(self, prefix: str, seconds: float) -> Contents:
        """Count the objects whose keys begin with ``prefix``, page by page, until time is over."""

    def count_stale_uploads(self, prefix: str, before: datetime) -> int:
        """The multipart uploads under ``prefix`` that began before a time and were never finished; 1000 at most."""

    def rules_that_take(self, prefix: str) -> list[str]:
        """The names of the bucket's lifecycle rules that delete or archive objects below ``prefix`` by their age.

        None where the service has no such rules.
        """

    def purge(self, prefix: str) -> int:
        """Delete unfinished uploads and up to 1000 objects whose keys begin with ``prefix``; 0 when none is left.

        Raises StorageError, naming an object that could not be deleted.
        """
