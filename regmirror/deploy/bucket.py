"""The step that checks the bucket."""

import asyncio
from dataclasses import dataclass

from regmirror.config.model import Mirror
from regmirror.deploy.diff_changes import Plan
from regmirror.errors import BucketMissingError, StorageUnreachableError
from regmirror.ports.object_store import ObjectStore
from regmirror.steps.step import Done, Waiting


@dataclass(frozen=True, slots=True)
class BucketStep:
    """Proves that the bucket can be used, and creates it where it is missing and the configuration asks for it."""

    mirror: Mirror
    store: ObjectStore
    name: str = "bucket"
    title: str = "S3 bucket"
    needs: tuple[str, ...] = ()

    async def apply(self, progress: Waiting) -> Done:
        """Raises StorageError."""
        progress.waiting(self.title, f"{self.mirror.storage.bucket} at {self.mirror.storage.endpoint or 'AWS'}")
        return await asyncio.to_thread(self._ensure)

    async def plan(self) -> Plan:
        """Raises StorageError."""
        return await asyncio.to_thread(self._look)

    def _look(self) -> Plan:
        storage = self.mirror.storage
        try:
            # Nothing is written, not even the small object of a deployment.
            self.store.measure(storage.prefix, 0.0)
        except BucketMissingError:
            if not storage.create_bucket:
                raise
            return Plan(f"{storage.bucket} would be created", changed=True)
        except StorageUnreachableError:
            if not storage.is_inside_cluster:
                raise
            return Plan(f"not looked at: {storage.endpoint} is an address inside the cluster")
        return Plan(storage.bucket)

    def _ensure(self) -> Done:
        storage = self.mirror.storage
        try:
            self.store.check_bucket()
        except BucketMissingError:
            if not storage.create_bucket:
                raise
            self.store.create_bucket()
            self.store.check_bucket()
            return Done(f"{storage.bucket} created", changed=True)
        except StorageUnreachableError:
            if not storage.is_inside_cluster:
                raise
            return Done(f"not looked at: {storage.endpoint} is an address inside the cluster")
        return Done(storage.bucket)
