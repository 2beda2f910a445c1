"""One S3 bucket in memory."""

from __future__ import annotations

from regmirror.errors import BucketMissingError, StorageError


class FakeStore:
    """A bucket that is there or not; ``failure`` is what every call ends with instead."""

    def __init__(self, *, exists: bool = True, failure: StorageError | None = None) -> None:
        self.exists = exists
        self.failure = failure

    def check_bucket(self) -> None:
        if self.failure:
            raise self.failure
        if not self.exists:
            raise BucketMissingError("cannot look at the bucket: it does not exist")

    def create_bucket(self) -> None:
        if self.failure:
            raise self.failure
        self.exists = True
