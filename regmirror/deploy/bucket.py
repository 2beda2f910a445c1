"""The step that checks the bucket."""

import asyncio
from dataclasses import dataclass

from regmirror.config.model import Mirror
from regmirror.deploy.diff_changes import StepDiff
from regmirror.deploy.ownership import Ownership
from regmirror.errors import BucketMissingError
from regmirror.ports.object_store import ObjectStore
from regmirror.steps.step import Done, Waiting


@dataclass(frozen=True, slots=True)
class BucketStep:
    """Checks that the bucket is usable; creates a missing one if the configuration says so."""

    mirror: Mirror
    store: ObjectStore
    ownership: Ownership | None = None
    """Whose data is in it: that of another mirror is refused here, before anything is changed."""
    name: str = "bucket"
    title: str = "Bucket"
    needs: tuple[str, ...] = ()

    async def apply(self, progress: Waiting) -> Done:
        """Raises StorageError."""
        progress.waiting(f"{self.mirror.storage.bucket} at {self.mirror.storage.endpoint or 'AWS'}")
        return await asyncio.to_thread(self.ensure)

    async def diff(self) -> StepDiff:
        """Raises StorageError."""
        return await asyncio.to_thread(self._compare)

    def ensure(self) -> Done:
        """Check the bucket, and create a missing one if the configuration says so. Raises StorageError."""
        storage = self.mirror.storage
        try:
            self.store.check_bucket()
        except BucketMissingError:
            if not storage.create_bucket:
                raise
            self.store.create_bucket()
            self.store.check_bucket()
            return Done(f"{storage.bucket} created", changed=True)
        if self.ownership:
            self.ownership.read()
        return Done(storage.place)

    def _compare(self) -> StepDiff:
        storage = self.mirror.storage
        try:
            # Nothing is written, not even the small object of a deployment.
            self.store.measure(storage.key_prefix, 0.0)
        except BucketMissingError:
            if not storage.create_bucket:
                raise
            return StepDiff(f"{storage.bucket} would be created", changed=True)
        return StepDiff(storage.place)
