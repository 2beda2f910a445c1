"""What regmirror asks of the S3 service."""

from typing import Protocol


class ObjectStore(Protocol):
    """One bucket. Every method raises StorageError (or a subclass of it) when the service refuses or fails."""

    def check_bucket(self) -> None:
        """Prove that the bucket exists and that objects can be written, read, listed and deleted.

        Leaves nothing behind. Raises BucketMissingError, StorageUnreachableError, or StorageError.
        """

    def create_bucket(self) -> None:
        """Create the bucket; an existing one of the same account is fine."""
